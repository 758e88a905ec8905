-- Clients, codes and tokens as the model specification names them. synchronous_commit stays on.
CREATE TABLE oauth_client (
    client_id text PRIMARY KEY,
    client_secret text NOT NULL,
    redirect_uris text[] NOT NULL,
    grants text[] NOT NULL
);
CREATE TABLE oauth_authorization_code (
    authorization_code text PRIMARY KEY,
    client_id text NOT NULL REFERENCES oauth_client,
    user_id text NOT NULL,
    redirect_uri text NOT NULL,
    scope text[] NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE oauth_access_token (
    access_token text PRIMARY KEY,
    client_id text NOT NULL REFERENCES oauth_client,
    user_id text NOT NULL,
    scope text[] NOT NULL,
    expires_at timestamptz NOT NULL
);
