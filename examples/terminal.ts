import { stderr, stdin } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { setTimeout } from 'node:timers/promises';
import { findNextStep } from './recover/next-step.ts';

/** Shows a consent page and ends when the user says that it is done. */
export async function showConsent(uri: string): Promise<void> {
  const terminal = createInterface({ input: stdin, output: stderr });
  await terminal.question(`A permission is missing. Give it at\n${uri}\nand press Enter when it is done. `);
  terminal.close();
}

/** Lets the seconds pass, and says so. */
export async function wait(seconds: number): Promise<void> {
  console.error(`The API is busy; trying again in ${seconds} s.`);
  await setTimeout(seconds * 1000);
}

/** Prints what the API answers; a refusal goes to the error output and makes the exit code 1. */
export async function print(response: Response): Promise<void> {
  const step = await findNextStep(response);
  if (step.do === 'use') {
    console.log(await response.text());
  } else {
    console.error(`Refused with ${response.status}: ${step.do === 'stop' ? step.why : await response.text()}`);
  }
  process.exitCode = response.ok ? 0 : 1;
}
