// openid-client, as a classic application: addresses by discovery, one token that lives for years.

import * as client from "openid-client";
import { askCustomer } from "./callback.js";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, {}, client.ClientSecretPost(CLIENT_SECRET), {
  algorithm: "oauth2", // RFC 8414; the other is OpenID Connect's
  execute: ISSUER.startsWith("http://") ? [client.allowInsecureRequests] : [], // a service of your own, in development
});

const expectedState = client.randomState();
const url = client.buildAuthorizationUrl(config, { redirect_uri: REDIRECT_URI, state: expectedState });
const cameBackTo = await askCustomer(url);

const token = await client.authorizationCodeGrant(config, cameBackTo, { expectedState });
console.log(`Connected: token for ${token.expires_in} s, scope ${token.scope}`);

const page = new URL("/api/v2/Fleet/1", ISSUER);
const headers = new Headers({ Accept: "application/json" });
const fleet = await client.fetchProtectedResource(config, token.access_token, page, "GET", undefined, headers);
console.log("Machines:", (await fleet.json()).Equipment.length);

const described = await client.tokenIntrospection(config, token.access_token);
console.log(`Introspected: ends at ${described.exp}`);

// Only when the customer leaves you: a classic token is kept and used for years.
await client.tokenRevocation(config, token.access_token);
console.log("Revoked");
