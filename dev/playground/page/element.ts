/** What stands inside an element; text is always text, never markup. */
export type Content = Node | string;

type Attributes = Readonly<Record<string, string | undefined>>;

/** Makes an element; attributes that are undefined are left out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) {
      made.setAttribute(name, value);
    }
  }
  made.append(...content);
  return made;
}

/**
 * The element of the page with that id.
 * @throws {Error} when index.html has none of that kind
 */
export function find<Kind extends HTMLElement>(id: string, kind: abstract new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) {
    throw new Error(`The page has no #${id} of the kind ${kind.name}.`);
  }
  return found;
}

/** Text that only screen readers meet. */
export function unseen(text: string): HTMLElement {
  return element('span', { class: 'unseen' }, text);
}
