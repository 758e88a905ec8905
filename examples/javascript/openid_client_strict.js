// openid-client, as a strict application: PKCE, addresses by discovery, and tokens of an hour that are refreshed.

import * as client from "openid-client";
import { askCustomer } from "./callback.js";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, {}, client.ClientSecretBasic(CLIENT_SECRET), {
  algorithm: "oauth2", // RFC 8414; the other is OpenID Connect's
  execute: ISSUER.startsWith("http://") ? [client.allowInsecureRequests] : [], // a service of your own, in development
});

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: REDIRECT_URI,
  scope: "aemp:read",
  state: expectedState,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
});
const cameBackTo = await askCustomer(url);

const first = await client.authorizationCodeGrant(config, cameBackTo, { pkceCodeVerifier, expectedState });
console.log(`Connected: token for ${first.expires_in} s, scope ${first.scope}`);

// Store the new pair at once: the refresh token before it is worth nothing now.
const token = await client.refreshTokenGrant(config, first.refresh_token);
console.log(`Refreshed: token for ${token.expires_in} s`);

const page = new URL("/api/v2/Fleet/1", ISSUER);
const headers = new Headers({ Accept: "application/json" });
const fleet = await client.fetchProtectedResource(config, token.access_token, page, "GET", undefined, headers);
console.log("Machines:", (await fleet.json()).Equipment.length);

const described = await client.tokenIntrospection(config, token.access_token);
console.log(`Introspected: ends at ${described.exp}`);

// Only when the customer leaves you. The refresh token takes all that came from this approval along.
await client.tokenRevocation(config, token.refresh_token);
console.log("Revoked");
