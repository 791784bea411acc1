import type { ConfigFault } from '../failures.ts';

/** The places that the line names. */
const SHOWN = 3;

/**
 * Writes faults that say the same of many places as one: `contract: 288 operations have no …: GET /a, GET /b, GET /c and
 * 285 more`, where the first of them stood; the same of one place is said once. The first word of a place, such as `contract` or `contract[1]`, says which
 * document it is in; places of different documents stay apart.
 */
export function foldFaults(faults: readonly ConfigFault[]): ConfigFault[] {
  const groups = new Map<string, ConfigFault[]>();
  for (const fault of faults) {
    const key = JSON.stringify([documentOf(fault), fault.message]);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [fault]);
    } else {
      group.push(fault);
    }
  }
  return [...groups.values()].map(foldGroup);
}

function documentOf({ at }: ConfigFault): string {
  return at.split(' ', 1)[0] ?? at;
}

function foldGroup(group: readonly ConfigFault[]): ConfigFault {
  const [first] = group as readonly [ConfigFault];
  const document = documentOf(first);
  const places = [...new Set(group.map(({ at }) => at.slice(document.length + 1)))];
  if (places.length === 1) {
    return first;
  }
  const noun = places.every((place) => /^[A-Z]+ \/\S*$/.test(place)) ? 'operations' : 'places';
  const more = places.length > SHOWN ? ` and ${places.length - SHOWN} more` : '';
  return {
    at: document,
    message: `${places.length} ${noun} ${toPlural(first.message)}: ${places.slice(0, SHOWN).join(', ')}${more}`,
  };
}

const PLURALS: ReadonlyMap<string, string> = new Map([
  ['has', 'have'],
  ['is', 'are'],
  ['does', 'do'],
  ['matches', 'match'],
  ['must', 'must'],
]);

/** A fault of one place begins with its verb: `has no security`. */
function toPlural(message: string): string {
  const [verb = ''] = message.split(' ', 1);
  const plural = PLURALS.get(verb) ?? (/^[a-z]+s$/.test(verb) ? verb.slice(0, -1) : undefined);
  return plural === undefined ? `say: ${message}` : `${plural}${message.slice(verb.length)}`;
}
