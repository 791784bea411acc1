import { readFileSync } from 'node:fs';

/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The stages of a Dockerfile, each a list of its instructions after `FROM`, continued lines joined. */
export function readStages(file: URL): Instruction[][] {
  const stages: Instruction[][] = [];
  for (const line of readFileSync(file, 'utf8')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')) {
    const match = /^([A-Z]+) (.+)$/.exec(line);
    if (match?.[1] === 'FROM') {
      stages.push([]);
    } else if (match !== null) {
      stages.at(-1)?.push({ name: match[1] ?? '', text: match[2] ?? '' });
    }
  }
  return stages;
}

/** The texts of every instruction of a kind. */
export function textsOf(stage: readonly Instruction[], name: string): string[] {
  return stage.filter((instruction) => instruction.name === name).map(({ text }) => text);
}

/** The words of an instruction in JSON form, such as `ENTRYPOINT ["node", "dist/main.js"]`. */
export function wordsOf(stage: readonly Instruction[], name: string): string[] {
  const text = textsOf(stage, name)[0] ?? '[]';
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}
