import { z } from 'zod';
import { isLoopback } from '../../network/loopback.ts';
import { GUID } from '../../syntax/http-syntax.ts';
import { duration, text, webAddress } from './values.ts';

const credential = z
  .strictObject({
    secret: text('the client secret, best as ${NAME} from the environment').optional(),
    secretFile: text('the path of a file that holds the client secret')
      .optional()
      .describe('Read again when it changes.'),
    certificate: z
      .strictObject({
        cert: text('the path of a PEM certificate'),
        key: text('the path of the PEM private key of the certificate'),
      })
      .optional(),
    federatedTokenFile: text('the path of a file that holds a federated token').optional(),
    managedIdentity: z.strictObject({ clientId: text('the client id of a user-assigned managed identity') }).optional(),
  })
  .describe('How the gateway proves itself to Entra: exactly one of the keys.');

/** The Entra cloud of most tenants. */
export const DEFAULT_AUTHORITY = 'https://login.microsoftonline.com';

/** `identity`: what the gateway is in Entra, and whose tokens it takes. */
export const identity = z.strictObject({
  authority: webAddress(
    'the https address of an Entra cloud without a path, such as https://login.microsoftonline.com (http only for a loopback host)',
    (url) => url.pathname === '/' && (url.protocol === 'https:' || isLoopback(url.hostname)),
  )
    .default(DEFAULT_AUTHORITY)
    .describe('The Entra cloud.'),
  tenant: text("a tenant id (a GUID), or 'organizations' with allowedTenants")
    .refine((value) => GUID.test(value) || value === 'organizations', {
      error: "a tenant id (a GUID), or 'organizations' with allowedTenants",
    })
    .transform((value) => value.toLowerCase())
    .describe("The tenant whose users call the API, or 'organizations'."),
  allowedTenants: z
    .array(
      text('a tenant id')
        .refine((value) => GUID.test(value), { error: 'a tenant id (a GUID)' })
        .transform((value) => value.toLowerCase()),
      { error: 'a list of tenant ids' },
    )
    .default([]),
  clientId: text('the application (client) id of the gateway')
    .refine((value) => /^[\w.~-]+$/.test(value), { error: 'the application (client) id of the gateway, a GUID' })
    .describe('The application (client) id of the gateway.'),
  audiences: z
    .array(text('an audience'), { error: 'a list of audiences' })
    .default([])
    .describe('The `aud` values that mean this API. Default: the client id and api://{clientId}.'),
  allowedClients: z
    .array(text('the application (client) id of a caller').toLowerCase(), { error: 'a list of client ids' })
    .default([])
    .describe('The `azp`/`appid` values that may call; empty means any.'),
  requireClientCapability: z
    .boolean({ error: 'true or false' })
    .default(false)
    .describe('Whether claims challenges go only to clients that declared cp1 (the optional claim xms_cc).'),
  boundTokens: z
    .enum(['accept', 'refuse'], { error: "'accept' or 'refuse'" })
    .default('accept')
    .describe('What happens to tokens that are bound to a key (cnf) and sent as plain bearer tokens.'),
  clockTolerance: duration('60s').describe('How far the clocks of Entra and the gateway may be apart.'),
  consentRedirectUri: webAddress('an http or https address without query', () => true)
    .optional()
    .describe('Where Entra sends the user after consent.'),
  credential,
});
