import { z } from 'zod';
import { authorizationService } from './schema/authorization-service.ts';
import { contract } from './schema/contract.ts';
import { downstream } from './schema/downstream.ts';
import { identity } from './schema/identity.ts';
import { log } from './schema/log.ts';
import { mcp } from './schema/mcp.ts';
import { nativeAuth } from './schema/native-auth.ts';
import { redis } from './schema/redis.ts';
import { server } from './schema/server.ts';
import { wholeNumber } from './schema/values.ts';

/*
 * The shape of gateway.yaml. The message of each field says what is allowed; what was found is added by
 * `describeIssues`, so a message never has to repeat a value (which may be a secret).
 */

const DOWNSTREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** gateway.yaml, key by key. */
export const gatewaySchema = z.strictObject({
  contract: contract.describe(
    'The OpenAPI document, relative to this file; or a list of documents, each with what the gateway makes of it.',
  ),
  server: server.prefault({}),
  identity,
  downstreams: z
    .record(z.string().regex(DOWNSTREAM_NAME, { error: 'a name of letters, digits, - and _' }), downstream, {
      error: 'a map of downstream APIs by name',
    })
    .describe('The APIs behind the gateway, by name.'),
  nativeAuth: nativeAuth.optional(),
  mcp: mcp.optional(),
  authorizationService: authorizationService.optional(),
  tokenCache: z
    .strictObject({
      maxSessions: wholeNumber(1, 5_000_000)
        .optional()
        .describe('How many callers are remembered at most. Default: what fits in memory, at most 100000.'),
      redis: redis.optional().describe('A second level, shared by all replicas; it survives restarts.'),
    })
    .prefault({}),
  log: log.prefault({}).describe('The log on standard output.'),
});

/** The same for an application, which needs a contract only where it proxies. */
export const applicationSchema = gatewaySchema.extend({ contract: contract.optional() });

/** gateway.yaml with the defaults of its keys: durations in milliseconds, sizes in bytes. */
export type GatewaySettings = z.output<typeof applicationSchema>;

/** What gateway.yaml says of the downstreams, by name. */
export type DownstreamsSettings = GatewaySettings['downstreams'];

/** The JSON Schema of gateway.yaml, for editors. */
export function toJsonSchema(): Record<string, unknown> {
  return {
    title: 'gateway.yaml of obo-gateway',
    ...z.toJSONSchema(gatewaySchema, { io: 'input', unrepresentable: 'any' }),
  };
}
