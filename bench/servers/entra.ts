import { LOAD_CORE, startPinned } from './child-process.ts';
import { findFreePorts, untilReady } from './ports.ts';
import { runTypeScript } from './typescript.ts';

/** The Entra of one case. */
export interface BenchEntra {
  readonly origin: string;
  /** How many exchanges it made so far. */
  countExchanges(): Promise<number>;
}

/**
 * Starts an Entra on the load's core.
 *
 * @param delay milliseconds that an exchange takes; default none
 */
export async function startEntra(jwksFile: string, delay = 0): Promise<BenchEntra> {
  const [port = 0] = await findFreePorts(1);
  const origin = `http://127.0.0.1:${port}`;
  const child = await startPinned({
    name: 'Entra',
    core: LOAD_CORE,
    ...runTypeScript('entra.ts', port, jwksFile, delay),
  });
  await untilReady(child, `${origin}/keys`);
  return {
    origin,
    async countExchanges() {
      return Number(await (await fetch(`${origin}/exchanges`)).text());
    },
  };
}
