import { EventEmitter } from 'node:events';
import type { CallOwner } from '../forward/forward.ts';

/** How long a call to a downstream is of use to anybody. */
export class CallLifetime extends EventEmitter<{ close: [] }> implements CallOwner {
  closed = false;

  /** Ends it, and with it the call. */
  end(): void {
    if (!this.closed) {
      this.closed = true;
      this.emit('close');
    }
  }
}
