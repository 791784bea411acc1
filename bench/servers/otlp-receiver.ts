import { LOAD_CORE, startPinned } from './child-process.ts';
import { findFreePorts, untilReady } from './ports.ts';
import { runTypeScript } from './typescript.ts';

/** Starts a receiver of OTLP on the load's core. */
export async function startOtlpReceiver(): Promise<{ readonly origin: string }> {
  const [port = 0] = await findFreePorts(1);
  const origin = `http://127.0.0.1:${port}`;
  const child = await startPinned({
    name: 'OTLP receiver',
    core: LOAD_CORE,
    ...runTypeScript('otlp-receiver.ts', port),
  });
  await untilReady(child, origin);
  return { origin };
}
