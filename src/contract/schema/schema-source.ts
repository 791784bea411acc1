import type { JsonObject } from '../../syntax/json.ts';
import { readKeywords, refuseStrangeDialect, type SchemaDialect } from './dialect.ts';
import { SchemaLocations } from './locations.ts';
import { Outlines } from './outline.ts';

/** The schemas of one document as they are written, and how they are to be read. */
export class SchemaSource {
  readonly dialect: Required<SchemaDialect>;
  readonly #root: JsonObject;
  #knownLocations: SchemaLocations | undefined;
  #knownOutlines: Outlines | undefined;

  constructor(root: JsonObject, { version = '3.1', formats = 'assert', direction = 'request' }: SchemaDialect) {
    this.#root = root;
    this.dialect = { version, formats, direction };
  }

  /**
   * Where schemas stand; made for the first one, because many a document has none that is looked at.
   *
   * @throws {Error} when the document names a dialect that is not known
   */
  get locations(): SchemaLocations {
    if (this.#knownLocations === undefined) {
      const hasNames = this.dialect.version !== '3.0';
      if (hasNames) {
        refuseStrangeDialect(this.#root, 'jsonSchemaDialect', 'the document');
      }
      this.#knownLocations = new SchemaLocations(this.#root, hasNames);
    }
    return this.#knownLocations;
  }

  /**
   * What can be told of the values of schemas without a look at one.
   *
   * @throws {Error} as {@link locations} does
   */
  get outlines(): Outlines {
    this.#knownOutlines ??= new Outlines(this.locations, (schema) => readKeywords(schema, this.dialect.version));
    return this.#knownOutlines;
  }
}
