import { DownstreamToken } from '../session/downstream-token.ts';

/** The text of a token that is sealed. */
export function writeToken({ accessToken, expiresAt, usableUntil, refreshAt }: DownstreamToken): string {
  return JSON.stringify([accessToken, expiresAt, usableUntil, refreshAt]);
}

/** Reads a token that {@link writeToken} wrote; `undefined` for any other text. */
export function readToken(text: string | undefined): DownstreamToken | undefined {
  const value: unknown = text === undefined ? undefined : parse(text);
  if (!Array.isArray(value)) {
    return undefined;
  }
  const [accessToken, expiresAt, usableUntil, refreshAt] = value as unknown[];
  return typeof accessToken === 'string' && isTime(expiresAt) && isTime(usableUntil) && isTime(refreshAt)
    ? new DownstreamToken(accessToken, { expiresAt, usableUntil, refreshAt })
    : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
