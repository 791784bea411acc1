import type { Contract } from '../contract/contract.ts';
import { isLoopback } from '../network/loopback.ts';
import type { ConfigFault } from '../failures.ts';
import { decodePath } from './decode-path.ts';
import { hideSecrets } from './describe-issues.ts';
import { DEFAULT_AUTHORITY } from './schema/identity.ts';
import { DEFAULT_NATIVE_AUTH_PATH } from './schema/native-auth.ts';
import { isJsonObject } from '../syntax/json.ts';
import { readKey } from './tree.ts';

/** Checks what `nativeAuth` needs of other keys. It reads the tree, so that it also works when other keys are wrong. */
export function checkNativeAuth(tree: unknown): ConfigFault[] {
  const nativeAuth = readKey(tree, 'nativeAuth');
  if (!isJsonObject(nativeAuth)) {
    return [];
  }
  const identity = readKey(tree, 'identity');
  const authority = readKey(identity, 'authority') ?? DEFAULT_AUTHORITY;
  const origins = nativeAuth['origins'] ?? readKey(readKey(readKey(tree, 'server'), 'cors'), 'origins') ?? [];
  return [
    ...(typeof authority === 'string' && URL.canParse(authority) && !hasNativeAuth(new URL(authority))
      ? [
          {
            at: 'nativeAuth',
            message: `needs an External ID tenant in identity.authority, such as https://contoso.ciamlogin.com; found ${hideSecrets(JSON.stringify(authority))}`,
          },
        ]
      : []),
    ...(readKey(identity, 'tenant') === 'organizations'
      ? [{ at: 'nativeAuth', message: 'needs a tenant id in identity.tenant; found "organizations"' }]
      : []),
    ...(Array.isArray(origins) && origins.length === 0
      ? [
          {
            at: 'nativeAuth.origins',
            message: 'found nothing; allowed: at least one origin, here or in server.cors.origins',
          },
        ]
      : []),
  ];
}

/** True for External ID, which alone has the API, and for a loopback host, where somebody tries things out. */
function hasNativeAuth({ hostname }: URL): boolean {
  return hostname.endsWith('.ciamlogin.com') || isLoopback(hostname);
}

/** Finds the operations that nobody could reach, because native authentication answers on their paths. */
export function checkNativeAuthPath(tree: unknown, { operations }: Contract): ConfigFault[] {
  const nativeAuth = readKey(tree, 'nativeAuth');
  const prefix = readKey(nativeAuth, 'path') ?? DEFAULT_NATIVE_AUTH_PATH;
  if (!isJsonObject(nativeAuth) || typeof prefix !== 'string') {
    return [];
  }
  return operations
    .filter(({ path }) => `${decodePath(path)}/`.startsWith(`${prefix}/`))
    .map(({ method, path }) => ({
      at: `contract ${method} ${path}`,
      message: `is below nativeAuth.path (${prefix}), where native authentication answers`,
    }));
}
