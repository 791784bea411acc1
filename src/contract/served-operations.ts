import { nameAt, type ContractPart, type Listeners } from './contract-source.ts';
import { listOperations, placeOf, type Found } from './operations/operations.ts';
import { EVERYTHING, readSelection, type Selection } from './operations/selection.ts';
import { readServersPath } from './document/servers.ts';
import { findBeyondPath } from './routes/path-template.ts';

/** The operations of which gateway.yaml wants some to be served. Faults of the others do not count. */
export function listServed({ source, document }: ContractPart, listeners: Listeners): readonly Found[] {
  const { fault } = listeners;
  const { at, operations: wanted } = source;
  const selection: Selection = wanted === undefined ? EVERYTHING : readSelection(wanted);
  const all = listOperations(document, (place, message) => {
    if (selection.servesPlace(place)) {
      fault(nameAt(at, place), message);
    }
  });
  if (all.length === 0 && wanted === undefined) {
    const webhooks = document.root['webhooks'] === undefined ? '' : ', and its webhooks are calls that the API makes';
    fault(at, `has nothing to serve: no path of ${document.file} has an operation${webhooks}`);
  }
  const selected = all.filter(selection.serves);
  const served = selected.filter((found) => canBeReached(found, at, listeners));
  if (served.length === 0 && selected.length > 0) {
    fault(
      at,
      'has nothing to serve: each of its paths has a query or a fragment, which the path of a request never has; write an operation for the path without it',
    );
  }
  return served;
}

function canBeReached(found: Found, at: string, { notice }: Listeners): boolean {
  const part = findBeyondPath(found.path);
  if (part === undefined) {
    return true;
  }
  notice(
    nameAt(at, placeOf(found)),
    `has a path with a ${part}, which the path of a request never has: it is not served; requests for it go to the operation of the path without the ${part}, if there is one`,
    `Describe at the operation of the path without the ${part} what its requests may hold.`,
  );
  return false;
}

/** The gateway has one address for a document, and gateway.yaml says where its calls go. */
export function adviseServers(
  { item, operation }: Found,
  serversPath: string,
  notice: (message: string, remedy: string) => void,
): void {
  for (const { value } of [item, operation].filter((node) => node.value['servers'] !== undefined)) {
    const path = tryServersPath(value);
    if (path !== undefined && path !== serversPath) {
      notice(
        `has other servers with the path ${path === '' ? '/' : path}, which do not count`,
        'Where its calls go is said by x-downstream, and the path for callers by `prefix` in gateway.yaml.',
      );
    }
  }
}

function tryServersPath(owner: Found['item']['value']): string | undefined {
  try {
    return readServersPath(owner);
  } catch {
    return undefined;
  }
}
