import { setImmediate as untilNextTurn } from 'node:timers/promises';
import { loadPassport } from '../auth/passport.ts';
import type { SigningKeys } from '../auth/signing-keys.ts';
import { loadMsal } from '../exchange/msal.ts';

/**
 * Loads what a gateway needs for its first request, but not to listen, once the first fetch of the signing keys has ended:
 * until then, it would only delay that. One package at a time, so that requests are answered in between.
 *
 * @param isStopped true when there will be no requests any more
 */
export async function loadAhead(keys: SigningKeys, isStopped: () => boolean): Promise<void> {
  await keys.refresh();
  for (const load of [loadPassport, loadMsal]) {
    await untilNextTurn();
    if (isStopped()) {
      return;
    }
    load();
  }
}
