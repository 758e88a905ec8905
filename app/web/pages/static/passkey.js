// Passkeys: asks the browser for one, puts its answer into the form, and sends the form.
//
// Every page works without this file: what needs it is hidden until it runs.
"use strict";

(() => {
  const RENEW_MS = 4 * 60 * 1000; // a challenge may be answered for five minutes
  const PROOF = ["password", "code"]; // the fields that a passkey stands in for

  if (!window.PublicKeyCredential || !navigator.credentials) return;

  let waiting = null; // the request behind the browser's own suggestions, of which there may be one

  for (const part of document.querySelectorAll("[data-passkey-part]")) part.hidden = false;
  for (const part of document.querySelectorAll("[data-passkey-without]")) part.hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("[data-passkey-button]");
    form.hidden = false;
    button.hidden = false;
    button.addEventListener("click", (event) => {
      event.preventDefault();
      run(form, button);
    });
    if (form.dataset.passkeyAutofill) suggest(form);
  }

  async function run(form, button) {
    if (button.getAttribute("aria-busy") === "true" || !isComplete(form)) return;
    if (form.elements.answer.value) return form.submit(); // it was made before, and another field was wrong
    tell(form, null);
    button.setAttribute("aria-busy", "true");
    waiting?.abort();
    try {
      const asked = await ask(form);
      if (!asked) return form.submit(); // the page that comes says what is wrong
      const request = { publicKey: readOptions(asked.options) };
      const made = form.dataset.passkey === "create"
        ? await navigator.credentials.create(request)
        : await navigator.credentials.get(request);
      send(form, asked, made);
    } catch (error) {
      tell(form, { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "present" }[error.name] ?? "failed");
      button.removeAttribute("aria-busy");
      if (form.dataset.passkeyAutofill) suggest(form);
    }
  }

  // The browser offers passkeys in the field for the e-mail address, where it can.
  async function suggest(form) {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    document.getElementById(form.dataset.passkeyAutofill).autocomplete = "username webauthn";
    const own = (waiting = new AbortController());
    const renewal = setTimeout(() => {
      if (waiting !== own) return;
      own.abort();
      suggest(form);
    }, RENEW_MS);
    try {
      const asked = await ask(form);
      if (!asked || own.signal.aborted) return;
      const request = { publicKey: readOptions(asked.options), mediation: "conditional", signal: own.signal };
      send(form, asked, await navigator.credentials.get(request));
    } catch {
      // Nobody asked for anything, so there is nothing to tell; the button stays.
    } finally {
      clearTimeout(renewal);
    }
  }

  async function ask(form) {
    if (form.dataset.passkeyOptions) {
      return { challenge: form.elements.challenge.value, options: JSON.parse(form.dataset.passkeyOptions) };
    }
    const answer = await fetch(form.dataset.passkeyAsk, { method: "POST", body: new URLSearchParams(seals(form)) });
    return answer.ok ? answer.json() : null;
  }

  // Only our own hidden fields; nothing that a person typed.
  function* seals(form) {
    for (const field of form.elements) {
      if (field.type === "hidden" && field.name && field.value) yield [field.name, field.value];
    }
  }

  function send(form, asked, credential) {
    form.elements.challenge.value = asked.challenge;
    form.elements.answer.value = JSON.stringify(writeAnswer(credential));
    form.submit();
  }

  // Whether what a passkey does not stand in for is filled in.
  function isComplete(form) {
    const proof = PROOF.map((name) => form.elements[name]).filter(Boolean);
    for (const field of proof) field.required = false;
    const complete = form.reportValidity();
    for (const field of proof) field.required = true;
    return complete;
  }

  function tell(form, what) {
    for (const sentence of form.querySelectorAll("[data-passkey-says]")) {
      sentence.hidden = sentence.dataset.passkeySays !== what;
    }
  }

  function readOptions(options) {
    const known = (list) => list?.map((each) => ({ ...each, id: bytesOf(each.id) }));
    return {
      ...options,
      challenge: bytesOf(options.challenge),
      ...(options.user && { user: { ...options.user, id: bytesOf(options.user.id) } }),
      ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
      ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
    };
  }

  function writeAnswer(credential) {
    const { id, rawId, type, response } = credential;
    const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
    const written = Object.fromEntries(
      parts.filter((part) => response[part]).map((part) => [part, textOf(response[part])]),
    );
    if (response.getTransports) written.transports = response.getTransports();
    return { id, rawId: textOf(rawId), type, response: written };
  }

  function bytesOf(text) {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  }

  function textOf(buffer) {
    const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
    return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }
})();
