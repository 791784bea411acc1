import type { ContractDocument } from './document/document.ts';

/** A document of the contract as gateway.yaml names it. */
export interface ContractSource {
  /** The key of gateway.yaml that names it, for messages: `contract` or `contract[1]`. */
  readonly at: string;
  readonly file: string;
  /** What stands before its paths for callers, empty for nothing; absent where its first server says it. */
  readonly prefix?: string | undefined;
  /** What stands before the names of its operations; default: the prefix. */
  readonly name?: string | undefined;
  /** The downstream of the operations that name none. */
  readonly downstream?: string | undefined;
  /** Replaces every `security` of the document. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[] | undefined;
  /** The operations that are served, as {@link readSelection} reads them; absent for all. */
  readonly operations?: readonly string[] | undefined;
}

/** A source and what was read from it. */
export interface ContractPart {
  readonly source: ContractSource;
  readonly document: ContractDocument;
}

/** Who is told of what is found, each time with its place: `contract GET /orders`. */
export interface Listeners {
  readonly fault: (at: string, message: string) => void;
  /** Of what is no fault and still not as the document says it. */
  readonly notice: (at: string, message: string, remedy: string) => void;
}

/** The place of something in a document of the contract, for messages. */
export function nameAt(at: string, place: string): string {
  return place === '' ? at : `${at} ${place}`;
}
