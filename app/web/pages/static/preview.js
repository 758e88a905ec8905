// Preview: name, company and logo as the consent page will show them, while they are typed and chosen.
//
// Every page works without this file: the preview is hidden until it runs. What a person typed goes in as text alone,
// and a logo is drawn instead of loaded, since no page of ours may load a picture from elsewhere.
"use strict";

(() => {
  const LARGEST = 256; // pixels, as the service keeps it

  const preview = document.querySelector("[data-preview]");
  const [name, company, logo] = ["name", "company", "logo"].map(
    (field) => document.getElementById(`${preview.dataset.preview}-${field}`),
  );
  const stored = preview.querySelector("[data-preview-stored]");
  const chosen = preview.querySelector("canvas");

  name.addEventListener("input", write);
  company.addEventListener("input", write);
  logo.addEventListener("change", draw);
  window.addEventListener("pageshow", () => { // a browser that comes back has filled the form in by then
    write();
    draw();
    preview.hidden = false;
  });

  function write() {
    preview.querySelector("[data-preview-name] bdi").textContent = told(name);
    preview.querySelector("[data-preview-company] bdi").textContent = told(company);
    const monogram = stored.querySelector(".monogram bdi");
    if (monogram) monogram.textContent = [...told(name)][0].toUpperCase();
  }

  // What was typed, or what is to be typed there.
  function told(field) {
    return field.value.trim() || field.labels[0].textContent;
  }

  async function draw() {
    const [file] = logo.files;
    const picture = file ? await createImageBitmap(file).catch(() => null) : null; // the service says what is wrong
    if (logo.files[0] === file) show(picture); // else another one was chosen meanwhile
    picture?.close();
  }

  function show(picture) {
    if (picture) {
      const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
      chosen.width = Math.max(1, Math.round(picture.width * scale));
      chosen.height = Math.max(1, Math.round(picture.height * scale));
      chosen.getContext("2d").drawImage(picture, 0, 0, chosen.width, chosen.height);
    }
    chosen.hidden = !picture;
    stored.hidden = Boolean(picture);
  }
})();
