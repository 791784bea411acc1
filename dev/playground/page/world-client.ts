import type { WorldDescription } from './world-view.ts';

/** Reads what can be turned. */
export async function readWorld(): Promise<WorldDescription> {
  return readReply(await fetch('/world'));
}

/** Turns a switch. */
export async function turnSwitch(id: string, position: string): Promise<WorldDescription> {
  return send('PUT', `/world/switches/${encodeURIComponent(id)}`, { position });
}

/** Does something to the world once. */
export async function doAction(id: string): Promise<WorldDescription> {
  return send('POST', `/world/actions/${encodeURIComponent(id)}`, {});
}

/** Puts everything back to rest. */
export async function resetWorld(): Promise<WorldDescription> {
  return send('POST', '/world/reset', {});
}

async function send(method: string, path: string, body: object): Promise<WorldDescription> {
  const headers = { 'content-type': 'application/json' };
  return readReply(await fetch(path, { method, headers, body: JSON.stringify(body) }));
}

async function readReply(response: Response): Promise<WorldDescription> {
  if (!response.ok) {
    throw new Error(`The playground’s server answered ${response.status}.`);
  }
  return (await response.json()) as WorldDescription;
}
