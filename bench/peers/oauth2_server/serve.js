// The server: Express with the project's own wrapper, so many processes on one port by Node's cluster.
import cluster from 'node:cluster';
import process from 'node:process';
import OAuthServer from '@node-oauth/express-oauth-server';
import express from 'express';
import { createModel } from './model.js';

const { DATABASE_URL, PORT, WORKERS } = process.env;
const KEEP_ALIVE_MS = 60_000; // as ours; Node's 5 s would cut connections between the rounds
const YEAR_S = 365 * 24 * 3600;

function serve() {
  const oauth = new OAuthServer({ model: createModel(DATABASE_URL), accessTokenLifetime: YEAR_S });
  const guard = oauth.authenticate({
    scope: 'aemp:read',
    addAcceptedScopesHeader: false,
    addAuthorizedScopesHeader: false,
  });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.post('/token', express.urlencoded({ extended: false }), oauth.token());
  app.get('/page', guard, (request, response) => {
    response.json({ account: response.locals.oauth.token.user.id });
  });
  app.get('/alive', (request, response) => response.end());
  const server = app.listen(Number(PORT), '127.0.0.1');
  server.keepAliveTimeout = KEEP_ALIVE_MS;
}

if (cluster.isPrimary) {
  for (let worker = 0; worker < Number(WORKERS); worker += 1) {
    cluster.fork();
  }
  cluster.on('exit', (worker, code) => process.exit(code || 1));
} else {
  serve();
}
