import { format } from 'prettier';
import { ACTIONS, SWITCHES } from '../playground/switches.ts';
import { table } from './markdown.ts';

/** The part of the document that is made from the switches, with the comments around it. */
const MADE = /(<!-- switches -->\n)[^]*(<!-- end of switches -->)/;

/** Fills the part of docs/playground.md about the world with what its switches and actions say. */
export async function refreshSwitchTables(document: string): Promise<string> {
  const groups = [...new Set([...SWITCHES, ...ACTIONS].map(({ group }) => group))];
  const made = groups.map((group) => `### ${group}\n\n${describeGroup(group)}`).join('\n\n');
  return format(
    document.replace(MADE, (_, begin: string, end: string) => `${begin}\n${made}\n\n${end}`),
    { parser: 'markdown', printWidth: 120 },
  );
}

function describeGroup(name: string): string {
  const positions = SWITCHES.filter(({ group }) => group === name).flatMap(
    ({ title, positions: [rest, ...others] }) => [
      [title, `${rest.title} (at rest)`, rest.effect],
      ...others.map((position) => ['', position.title, position.effect]),
    ],
  );
  const actions = ACTIONS.filter(({ group }) => group === name).map(({ title, effect }) => [title, '', effect]);
  return table(['switch or button', 'position', 'what happens then'], [...positions, ...actions]);
}
