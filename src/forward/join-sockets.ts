import type { Socket } from 'node:net';

/** Milliseconds in which the last bytes may still arrive once one side has ended. */
const LAST_BYTES_MS = 5_000;

/**
 * Joins two connections: what comes on one goes out on the other, no faster than it is read there. When one side ends,
 * what it sent still arrives, and then both are closed.
 *
 * @param idleTimeoutMs both are closed when no byte goes either way for so long; may be infinite
 */
export function joinSockets(one: Socket, other: Socket, idleTimeoutMs: number): void {
  let isEnding = false;
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.setNoDelay(true);
    from.setTimeout(Number.isFinite(idleTimeoutMs) ? idleTimeoutMs : 0, destroy);
    from.on('error', destroy).once('end', end).once('close', end);
    from.pipe(to, { end: false });
  }

  function end(): void {
    if (isEnding) {
      return;
    }
    isEnding = true;
    one.unpipe(other);
    other.unpipe(one);
    one.destroySoon();
    other.destroySoon();
    setTimeout(destroy, LAST_BYTES_MS).unref();
  }

  function destroy(): void {
    one.destroy();
    other.destroy();
  }
}
