// The application's callback page, on this machine: waits for the browser that comes back from RoviTracker.

import { createServer } from "node:http";

const HEADERS = {
  "Content-Type": "text/plain; charset=utf-8",
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer", // the page's address holds the code
};

/** The address at REDIRECT_URI that the customer's browser came back to, with `code` and `state` in it. */
export function askCustomer(authorizationUrl) {
  const redirectUri = new URL(process.env.REDIRECT_URI);
  return new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const cameBackTo = new URL(request.url, redirectUri);
      if (cameBackTo.pathname !== redirectUri.pathname) return response.writeHead(404, HEADERS).end();
      response.writeHead(200, HEADERS);
      response.end("You can close this page: the application goes on in the terminal.\n", () => {
        server.close();
        server.closeAllConnections();
        resolve(cameBackTo);
      });
    });
    server.on("error", reject);
    server.listen(redirectUri.port, redirectUri.hostname, () => console.log(`Open ${authorizationUrl}`));
  });
}
