// oidc-provider with opaque access tokens; configuration as in its docs/README.md.
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

export const SCOPE = 'aemp:read';
export const REDIRECT_URI = 'https://integrator.example/callback';

const HOUR = 3600;
const DAY = 24 * HOUR;

export function createProvider({ adapter, issuer, client, inMemory }) {
  return new Provider(issuer, {
    adapter,
    // "clients": what stands here is held in memory; any other client is looked up by the adapter.
    clients: inMemory ? [client] : [],
    scopes: ['openid', SCOPE],
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    // Codes outlive the run that was prepared for them; tokens live as long as ours.
    ttl: { AuthorizationCode: HOUR, AccessToken: 365 * DAY, Grant: 365 * DAY },
    features: {
      devInteractions: { enabled: false },
      introspection: {
        enabled: true,
        // As ours: a client sees its own tokens.
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
    },
    // Production asks for keys of one's own. The first signs the ID tokens of the scope openid.
    jwks: { keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })] },
    cookies: { keys: ['for the pages, which nobody opens here'] },
  });
}

// "Pre- and post-middlewares": a page that asks for a live token, and for nothing else.
export function guardPage(provider, path) {
  provider.use(async (context, next) => {
    if (context.path !== path) {
      return next();
    }
    const [scheme, value] = context.get('authorization').split(' ');
    const token = scheme === 'Bearer' && (await provider.AccessToken.find(value));
    if (!token?.isValid || !token.scopes.has(SCOPE)) {
      context.status = 401;
      context.set('WWW-Authenticate', 'Bearer error="invalid_token"');
      return undefined;
    }
    context.body = { account: token.accountId };
    return undefined;
  });
}
