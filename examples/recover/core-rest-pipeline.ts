import { bearerTokenAuthenticationPolicy, createPipelineFromOptions, type Pipeline } from '@azure/core-rest-pipeline';
import { acquireToken, type Session } from './msal-node.ts';

type TokenCredential = NonNullable<Parameters<typeof bearerTokenAuthenticationPolicy>[0]['credential']>;

/** A credential that takes the claims of a challenge to Entra; those of `@azure/identity` do the same. */
function toCredential(session: Session): TokenCredential {
  return {
    async getToken(_scopes, { claims } = {}) {
      const { accessToken, expiresOn } = await acquireToken(session, { claims });
      return { token: accessToken, expiresOnTimestamp: expiresOn?.getTime() ?? 0 };
    },
  };
}

/** A pipeline whose requests carry a token, satisfy claims challenges and wait as `Retry-After` says. */
export function createApiPipeline(session: Session): Pipeline {
  const pipeline = createPipelineFromOptions({});
  const credential = toCredential(session);
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: session.scopes }), { phase: 'Sign' });
  return pipeline;
}
