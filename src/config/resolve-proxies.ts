import { isLoopback } from '../network/loopback.ts';
import type { ConfigFault } from '../failures.ts';
import { findProxy, isProxyAddress } from '../network/proxy-address.ts';
import type { Environment } from './environment.ts';
import type { DownstreamsSettings } from './schema.ts';

/**
 * Gives each downstream the proxy to use: its own, else that of the environment, and none for a loopback address, or where
 * the gateway calls nobody.
 * Afterwards an absent `proxy` means none.
 *
 * @param faults gets an entry for each proxy of the environment that cannot be used
 */
export function resolveProxies(
  downstreams: DownstreamsSettings,
  env: Environment,
  faults: ConfigFault[],
): DownstreamsSettings {
  return Object.fromEntries(
    Object.entries(downstreams).map(([name, { proxy, ...downstream }]) => {
      if (downstream.baseUrl === undefined) {
        return [name, downstream];
      }
      const baseUrl = new URL(downstream.baseUrl);
      const found = proxy === 'none' ? undefined : (proxy ?? readEnvironment(name, baseUrl));
      const isLocal = isLoopback(baseUrl.hostname);
      return [name, { ...downstream, ...(found !== undefined && !isLocal && { proxy: found }) }];
    }),
  );

  function readEnvironment(name: string, target: URL): string | undefined {
    const found = findProxy(target, env);
    if (found !== undefined && !isProxyAddress(found.address)) {
      // The address may hold a password.
      const message = `found ${found.variable}, which is no http or https address of a proxy; allowed: another proxy, or 'none'`;
      faults.push({ at: `downstreams.${name}.proxy`, message });
    }
    return found?.address;
  }
}
