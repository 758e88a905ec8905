// What the bench tells both programs, by environment variables.
import { PostgresAdapter } from './postgres_adapter.js';
import { REDIRECT_URI, SCOPE } from './provider.js';
import { RedisAdapter } from './redis_adapter.js';

const { ADAPTER, CLIENT_IN_MEMORY, DATABASE_URL, OPENID, PORT, CLIENT_ID, CLIENT_SECRET } = process.env;
const { REDIS_SOCKET, REDIS_PASSWORD, REDIS_DB, REDIS_PIPELINED } = process.env;

export const port = Number(PORT);

// What a customer approves: with openid, as any client of it asks, an exchange gives an ID token too.
export const approvedScope = OPENID === 'true' ? `openid ${SCOPE}` : SCOPE;

export const settings = {
  adapter:
    ADAPTER === 'redis'
      ? RedisAdapter.on({
          path: REDIS_SOCKET,
          password: REDIS_PASSWORD,
          db: Number(REDIS_DB),
          pipelined: REDIS_PIPELINED === 'true',
        })
      : PostgresAdapter.on(DATABASE_URL),
  issuer: `http://127.0.0.1:${port}`,
  // As dynamic registration would store it.
  client: {
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [REDIRECT_URI],
  },
  inMemory: CLIENT_IN_MEMORY === 'true',
};
