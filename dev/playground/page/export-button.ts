import { element, find } from './element.ts';
import { exportTrace } from './export-trace.ts';
import type { Journey } from './journey.ts';

const FILE_NAME = 'journey.otlp.json';

/** Connects the button that saves the journey as a trace. */
export function connectExportButton(journey: Journey, tell: (text: string) => void): void {
  find('export-trace', HTMLButtonElement).addEventListener('click', () => {
    const trace = exportTrace(journey);
    if (trace === undefined) {
      tell('There is no journey to export yet: sign in, or send something.');
      return;
    }
    const file = new Blob([JSON.stringify(trace, null, 2)], { type: 'application/json' });
    const address = URL.createObjectURL(file);
    element('a', { href: address, download: FILE_NAME }).click();
    URL.revokeObjectURL(address);
    tell(`The journey is saved as ${FILE_NAME}: a request of OTLP, which tools for traces open.`);
  });
}
