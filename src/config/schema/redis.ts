import { z } from 'zod';
import { isLoopback } from '../../network/loopback.ts';
import type { EntraLoginSettings } from '../../redis/entra-login.ts';
import {
  parseRedisAddress,
  type RedisAddress,
  type RedisAddressError,
  type RedisLoginFiles,
} from '../../redis/redis-address.ts';
import { GUID } from '../../syntax/http-syntax.ts';
import { text } from './values.ts';

const OBJECT_ID = 'the object id of a service principal or a managed identity (a GUID)';

const SECRET_FILE = 'the path of a file that holds it';

/** `tokenCache.redis`: where the second level is, and as whom the gateway logs in there. */
export const redis = z
  .strictObject({
    url: text('an address such as redis://user:password@host:6379/0, best as ${NAME} from the environment')
      .transform((value, context) => {
        try {
          return parseRedisAddress(value);
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as RedisAddressError).message });
          return z.NEVER;
        }
      })
      .describe('redis:// or rediss://; with +sentinel, +cluster or +unix for the other ways to reach it.'),
    userFile: text(SECRET_FILE).optional().describe('A file with the user, read again before each connection.'),
    passwordFile: text(SECRET_FILE).optional().describe('A file with the password, read again before each connection.'),
    sentinelUserFile: text(SECRET_FILE).optional().describe('A file with the user of the Sentinels.'),
    sentinelPasswordFile: text(SECRET_FILE).optional().describe('A file with the password of the Sentinels.'),
    entra: z
      .strictObject(
        {
          objectId: text(OBJECT_ID)
            .refine((value) => GUID.test(value), { error: OBJECT_ID })
            .optional()
            .describe('The object id of the identity, which is its user name. Default: that of the token.'),
        },
        { error: 'a map, which may be empty: {}' },
      )
      .optional()
      .describe("Login at Azure's Redis with a token of the gateway's own credential."),
  })
  .superRefine(refuseUnclearLogin);

/** Which user and which password counts must be plain, and a user alone is mostly a password in the wrong place. */
function refuseUnclearLogin(settings: RedisSettings, context: z.RefinementCtx): void {
  const { username, password, place } = settings.url;
  const sentinels = place.kind === 'sentinel' ? place : undefined;
  const inUrl = {
    userFile: username,
    passwordFile: password,
    sentinelUserFile: sentinels?.username,
    sentinelPasswordFile: sentinels?.password,
  };
  const refuse = (key: keyof RedisSettings, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message });
  for (const [key, written] of Object.entries(inUrl) as [keyof typeof inUrl, string | undefined][]) {
    if (settings[key] !== undefined && written !== undefined) {
      refuse(key, 'nothing, because tokenCache.redis.url says it, too');
    } else if (settings[key] !== undefined && key.startsWith('sentinel') && sentinels === undefined) {
      refuse(key, 'nothing, because tokenCache.redis.url names no Sentinels (redis+sentinel://)');
    }
  }
  const { userFile, passwordFile, entra } = settings;
  if (entra !== undefined) {
    if ((username ?? password ?? userFile ?? passwordFile) !== undefined) {
      refuse('entra', 'nothing beside a user or a password, here, in files or in tokenCache.redis.url');
    } else if (place.kind === 'sentinel') {
      refuse('entra', 'nothing with Sentinels, which Azure does not have');
    } else if (!isPrivate(settings.url)) {
      refuse('url', 'rediss:// with tokenCache.redis.entra, because the token would travel in clear');
    }
    return;
  }
  if ((username ?? userFile) !== undefined && (password ?? passwordFile) === undefined) {
    refuse('url', 'a password with the user, here or in passwordFile; without a user: redis://:password@host');
  }
}

/** True when nobody on the network can read what is sent to Redis. */
export function isPrivate({ encrypted, place }: Pick<RedisAddress, 'encrypted' | 'place'>): boolean {
  const nodes = place.kind === 'server' ? [place.node] : place.kind === 'socket' ? [] : place.nodes;
  return encrypted || nodes.every(({ host }) => isLoopback(host === '::1' ? '[::1]' : host));
}

/** The second level as gateway.yaml has it. */
interface RedisSettings extends RedisLoginFiles {
  readonly url: RedisAddress;
  readonly entra?: EntraLoginSettings | undefined;
}
