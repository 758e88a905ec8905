// The client; and grants, authorization codes and access tokens as the models save them after a consent, printed as JSON.
import process from 'node:process';
import { createProvider, REDIRECT_URI } from './provider.js';
import { approvedScope, settings } from './settings.js';

const AT_ONCE = 128;

const provider = createProvider(settings);
await provider.Client.adapter.upsert(settings.client.client_id, settings.client);
const client = await provider.Client.find(settings.client.client_id);

async function approve(accountId) {
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(approvedScope);
  return { accountId, client, grantId: await grant.save(), scope: approvedScope, gty: 'authorization_code' };
}

async function saveCode(accountId) {
  const code = new provider.AuthorizationCode({ ...(await approve(accountId)), redirectUri: REDIRECT_URI });
  return code.save();
}

async function saveToken(accountId) {
  const token = new provider.AccessToken(await approve(accountId));
  return token.save();
}

async function many(count, save) {
  const saved = [];
  const next = async () => {
    while (saved.length < count) {
      const place = saved.push(undefined) - 1;
      saved[place] = await save(`account-${place}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return saved;
}

const [codes, tokens] = process.argv.slice(2).map(Number);
const made = { codes: await many(codes, saveCode), tokens: await many(tokens, saveToken) };
process.stdout.write(JSON.stringify(made), () => process.exit());
