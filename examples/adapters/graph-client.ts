import { Client, type AuthenticationProvider } from '@microsoft/microsoft-graph-client';
// In a project of your own: from 'obo-gateway'.
import type { DownstreamClient } from '../../src/index.ts';

/**
 * A client of Microsoft Graph whose calls the library makes, on behalf of the caller of one request: with its token, its
 * timeouts, and another token where Graph wants claims. Make one for each request.
 *
 * @param graph the downstream, whose `baseUrl` is the address of Graph without a version
 */
export function createGraphClient(graph: DownstreamClient): Client {
  return Client.initWithMiddleware({
    baseUrl: `${graph.defaults.baseURL}/`,
    middleware: {
      async execute(context) {
        context.response = await graph.fetch(context.request, context.options);
      },
    },
  });
}

/**
 * Only the token, for the middleware that the Graph client brings: it tries again what Graph throttles, and follows
 * redirects. Where Graph wants claims or rejects the token, its calls fail with a `GraphError` whose status is 401, and with
 * nothing of ours in it: catch it, because Express would answer your caller with that 401, without a challenge.
 */
export function toAuthenticationProvider(graph: DownstreamClient): AuthenticationProvider {
  return { getAccessToken: async () => (await graph.token()).token };
}
