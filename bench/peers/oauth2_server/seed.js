// A client, and authorization codes and access tokens as the model saves them after a consent; prints those as JSON.
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import pg from 'pg';
import { createModel } from './model.js';

const { DATABASE_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const REDIRECT_URI = 'https://integrator.example/callback';
const AT_ONCE = 32;
const HOUR_MS = 3600 * 1000;

const model = createModel(DATABASE_URL);
const client = { id: CLIENT_ID };

async function saveClient() {
  const session = new pg.Client({ connectionString: DATABASE_URL });
  await session.connect();
  await session.query(
    `INSERT INTO oauth_client (client_id, client_secret, redirect_uris, grants) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [CLIENT_ID, CLIENT_SECRET, [REDIRECT_URI], ['authorization_code']],
  );
  await session.end();
}

// Of the form and size that the server itself makes.
const random = () => randomBytes(32).toString('hex');
const artefact = (life) => ({ scope: ['aemp:read'], expiresAt: new Date(Date.now() + life) });

async function saveCode(id) {
  const authorizationCode = random();
  const code = { authorizationCode, redirectUri: REDIRECT_URI, ...artefact(HOUR_MS) };
  await model.saveAuthorizationCode(code, client, { id });
  return authorizationCode;
}

async function saveToken(id) {
  const { scope, expiresAt } = artefact(HOUR_MS);
  const accessToken = random();
  await model.saveToken({ accessToken, scope, accessTokenExpiresAt: expiresAt }, client, { id });
  return accessToken;
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

await saveClient();
const [codes, tokens] = process.argv.slice(2).map(Number);
const made = { codes: await many(codes, saveCode), tokens: await many(tokens, saveToken) };
process.stdout.write(JSON.stringify(made), () => process.exit());
