// The model of @node-oauth/oauth2-server on PostgreSQL, as its page "Model Specification" asks for it.
import pg from 'pg';

const CONNECTIONS = 16; // of a process: two of them carry the load's 32 connections

export function createModel(url) {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS, idleTimeoutMillis: 0 });
  // A name makes it a prepared statement, parsed and planned once a connection.
  const run = (name, text, ...values) => pool.query({ name, text, values });

  return {
    async getClient(clientId, clientSecret) {
      const { rows } = await run(
        'getClient',
        `SELECT client_id AS id, redirect_uris AS "redirectUris", grants FROM oauth_client
         WHERE client_id = $1 AND ($2::text IS NULL OR client_secret = $2)`,
        clientId,
        clientSecret,
      );
      return rows[0];
    },

    async saveAuthorizationCode(code, client, user) {
      await run(
        'saveAuthorizationCode',
        `INSERT INTO oauth_authorization_code
           (authorization_code, client_id, user_id, redirect_uri, scope, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        code.authorizationCode,
        client.id,
        user.id,
        code.redirectUri,
        code.scope,
        code.expiresAt,
      );
      return { ...code, client, user };
    },

    async getAuthorizationCode(authorizationCode) {
      const { rows } = await run(
        'getAuthorizationCode',
        `SELECT client_id, user_id, redirect_uri, scope, expires_at FROM oauth_authorization_code
         WHERE authorization_code = $1`,
        authorizationCode,
      );
      return rows.map((row) => ({
        authorizationCode,
        redirectUri: row.redirect_uri,
        scope: row.scope,
        expiresAt: row.expires_at,
        client: { id: row.client_id },
        user: { id: row.user_id },
      }))[0];
    },

    // Whether this call took the code: of two at once, one.
    async revokeAuthorizationCode({ authorizationCode }) {
      const { rowCount } = await run(
        'revokeAuthorizationCode',
        'DELETE FROM oauth_authorization_code WHERE authorization_code = $1',
        authorizationCode,
      );
      return rowCount === 1;
    },

    // None: the client may not use them.
    generateRefreshToken: async () => undefined,

    async saveToken(token, client, user) {
      await run(
        'saveToken',
        `INSERT INTO oauth_access_token (access_token, client_id, user_id, scope, expires_at)
         VALUES ($1, $2, $3, $4, $5)`,
        token.accessToken,
        client.id,
        user.id,
        token.scope,
        token.accessTokenExpiresAt,
      );
      return { ...token, refreshTokenExpiresAt: undefined, client, user };
    },

    async getAccessToken(accessToken) {
      const { rows } = await run(
        'getAccessToken',
        'SELECT client_id, user_id, scope, expires_at FROM oauth_access_token WHERE access_token = $1',
        accessToken,
      );
      return rows.map((row) => ({
        accessToken,
        accessTokenExpiresAt: row.expires_at,
        scope: row.scope,
        client: { id: row.client_id },
        user: { id: row.user_id },
      }))[0];
    },

    verifyScope: async (token, scope) => scope.every((part) => token.scope.includes(part)),
  };
}
