import { setTimeout as wait } from 'node:timers/promises';
import type { Response } from 'express';
import type { CredentialKind } from './client-authentication.ts';
import type { Switches } from './switches.ts';

type Outage = Exclude<Switches['entra'], 'up' | 'slow'>;

const OUTAGES: Record<Outage, (res: Response, switches: Switches) => void> = {
  throttled: (res, { retryAfter }) => {
    res.status(429).set('Retry-After', retryAfter).type('text/plain').send('Too Many Requests');
  },
  html503: (res) => {
    res.status(503).type('html').send('<html><body><h2>Our services are not available right now</h2></body></html>');
  },
  json500: (res) => {
    res.status(500).json({ error: 'server_error', error_description: 'An unexpected error occurred.' });
  },
  empty200: (res) => {
    res.json({});
  },
  garbage: (res) => {
    res.type('json').send('{"token_type":"Bearer","access_tok');
  },
  hang: () => {},
  reset: (res) => {
    res.destroy();
  },
};

/** Answers in Entra's place while it is switched to fail for such a client; true means the request is dealt with. */
export async function simulateOutage(switches: Switches, res: Response, credential: CredentialKind): Promise<boolean> {
  const { entra, outageFor } = switches;
  if (entra === 'up' || (outageFor === 'confidentialClients' && credential === 'none')) {
    return false;
  }
  if (entra === 'slow') {
    await wait(switches.delayMs);
    return false;
  }
  OUTAGES[entra](res, switches);
  return true;
}
