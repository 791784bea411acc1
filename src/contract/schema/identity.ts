import { isJsonObject } from '../../syntax/json.ts';

/** Stands for all objects or arrays that are equal. */
interface Identity {
  readonly number: number;
}

/** The identities of what one run has met. */
export class Identities {
  readonly #ofNests = new Map<object, Identity>();
  readonly #byText = new Map<string, Identity>();

  /**
   * A key that is the same for two JSON values if and only if they are equal (JSON Schema 2020-12 §4.2.2). Each object
   * and array is gone through once, so that the time grows with the size of the value.
   */
  of(value: unknown): unknown {
    return typeof value === 'object' && value !== null ? this.#ofNest(value) : value;
  }

  #ofNest(nest: object): Identity {
    let identity = this.#ofNests.get(nest);
    if (identity === undefined) {
      const text = this.#describe(nest);
      identity = this.#byText.get(text) ?? { number: this.#byText.size };
      this.#byText.set(text, identity);
      this.#ofNests.set(nest, identity);
    }
    return identity;
  }

  #describe(nest: object): string {
    if (Array.isArray(nest)) {
      return `[${nest.map((item) => this.#name(item)).join(',')}]`;
    }
    const members = Object.entries(nest).map(([key, member]) => `${JSON.stringify(key)}:${this.#name(member)}`);
    return `{${members.toSorted().join(',')}}`;
  }

  #name(part: unknown): string {
    if (typeof part === 'object' && part !== null) {
      return `#${this.#ofNest(part).number}`;
    }
    return typeof part === 'string' ? JSON.stringify(part) : String(part);
  }
}

/** True when two JSON values are equal; the time grows with the smaller one. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) {
    return true;
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isEqual(item, other[index]));
  }
  if (!isJsonObject(one) || !isJsonObject(other)) {
    return false;
  }
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key], other[key]))
  );
}
