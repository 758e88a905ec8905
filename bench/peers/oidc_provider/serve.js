// The server: so many processes on one port, by Node's cluster.
import cluster from 'node:cluster';
import process from 'node:process';
import { createProvider, guardPage } from './provider.js';
import { port, settings } from './settings.js';

const KEEP_ALIVE_MS = 60_000; // as ours; Node's 5 s would cut connections between the rounds

function serve() {
  const provider = createProvider(settings);
  guardPage(provider, '/page');
  const server = provider.listen(port, '127.0.0.1');
  server.keepAliveTimeout = KEEP_ALIVE_MS;
}

if (cluster.isPrimary) {
  for (let worker = 0; worker < Number(process.env.WORKERS); worker += 1) {
    cluster.fork();
  }
  cluster.on('exit', (worker, code) => process.exit(code || 1));
} else {
  serve();
}
