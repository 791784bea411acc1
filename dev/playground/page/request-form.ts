import { SEND_AS, type CallRequest, type SendAs } from './call.ts';
import type { Contract, Operation, Parameter } from './contract.ts';
import { element, find } from './element.ts';
import { makeLargeBody } from './large-body.ts';
import { SEND_THROUGH, type SendThrough } from './send-through.ts';

/** What a newcomer sees first, as it meets the demo's policy. */
const FIRST_OPERATION = 'listMessages';

/** The choice that no contract has: any method and path. */
const ANYTHING = 'anything-else';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'];

/** The form for a call: an operation of the contract with its values, or anything else. */
export class RequestForm {
  readonly #operations: readonly Operation[];
  readonly #select = find('operation', HTMLSelectElement);
  readonly #fields = find('fields', HTMLElement);
  readonly #sendAs = find('send-as', HTMLSelectElement);
  readonly #sendThrough = find('send-through', HTMLSelectElement);

  /** Fills the form; what is written into it is kept by the browser only. */
  constructor({ operations }: Contract) {
    this.#operations = operations;
    const tags = [...new Set(operations.map(({ tag }) => tag))];
    this.#select.replaceChildren(
      ...tags.map((tag) => groupOf(tag, operations)),
      element('optgroup', { label: 'Not in the contract' }, element('option', { value: ANYTHING }, 'Anything else')),
    );
    if (operations.some(({ id }) => id === FIRST_OPERATION)) {
      this.#select.value = FIRST_OPERATION;
    }
    this.#sendAs.replaceChildren(...optionsOf(SEND_AS));
    this.#sendThrough.replaceChildren(...optionsOf(SEND_THROUGH));
    this.#select.addEventListener('change', () => {
      this.#draw();
    });
    this.#draw();
  }

  /** How the caller shows who they are. */
  get sendAs(): SendAs {
    return this.#sendAs.value as SendAs;
  }

  set sendAs(way: SendAs) {
    this.#sendAs.value = way;
  }

  /** What carries the call to its API. */
  get through(): SendThrough {
    return this.#sendThrough.value as SendThrough;
  }

  /** The call as it stands in the form. */
  readRequest(): CallRequest {
    const operation = this.#operations.find(({ id }) => id === this.#select.value);
    if (!operation) {
      const request = { method: this.#read('free-method') ?? 'GET', path: this.#read('free-path') ?? '/', about: '' };
      return { ...request, ...this.#readBody('application/json') };
    }
    const { method, body, summary } = operation;
    const path = fillPath(operation, (name) => this.#read(`parameter-${name}`) ?? '');
    return { method, path, about: summary, ...this.#readBody(body?.mediaType) };
  }

  /** A call of an operation with the values that the contract suggests. */
  requestFor(operationId: string): CallRequest | undefined {
    const operation = this.#operations.find(({ id }) => id === operationId);
    if (!operation) {
      return undefined;
    }
    const samples = new Map(operation.parameters.map(({ name, sample }) => [name, sample]));
    const path = fillPath(operation, (name) => samples.get(name) ?? '');
    return { method: operation.method, path, about: operation.summary };
  }

  #readBody(mediaType: string | undefined): Pick<CallRequest, 'body' | 'mediaType'> {
    const megabytes = Number(this.#read('body-size') ?? 0);
    const body = megabytes > 0 ? makeLargeBody(megabytes) : this.#read('body');
    return body === undefined || body === '' ? {} : { body, mediaType };
  }

  #read(id: string): string | undefined {
    const field = this.#fields.querySelector(`[data-testid="${CSS.escape(id)}"]`);
    const isField =
      field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement;
    return isField ? field.value : undefined;
  }

  #draw(): void {
    const operation = this.#operations.find(({ id }) => id === this.#select.value);
    this.#fields.replaceChildren(...(operation ? drawFields(operation) : drawFreeFields()));
  }
}

function optionsOf(titles: Readonly<Record<string, string>>): HTMLOptionElement[] {
  return Object.entries(titles).map(([value, title]) => element('option', { value }, title));
}

function groupOf(tag: string, operations: readonly Operation[]): HTMLOptGroupElement {
  const options = operations
    .filter((operation) => operation.tag === tag)
    .map(({ id, method, path, summary }) => element('option', { value: id, title: `${method} ${path}` }, summary));
  return element('optgroup', { label: tag }, ...options);
}

function fillPath({ path, parameters }: Operation, valueOf: (name: string) => string): string {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) =>
    valueOf(name).split('/').map(encodeURIComponent).join('/'),
  );
  const query = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name }) => [name, valueOf(name)] as const)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
}

function drawFields({ method, path, parameters, body }: Operation): HTMLElement[] {
  return [
    element('p', { class: 'route' }, element('code', {}, element('b', {}, method), ` ${path}`)),
    ...parameters.map(drawParameter),
    ...(body ? [drawBody(body.mediaType, body.sample)] : []),
    ...(body === undefined || body.mediaType.includes('json') ? [] : [drawBodySize()]),
  ];
}

function drawParameter(parameter: Parameter): HTMLElement {
  const { name, about, isRequired, fallback, choices, sample } = parameter;
  const attributes = { 'data-testid': `parameter-${name}` };
  const notes = [about, isRequired ? '' : fallback === '' ? 'May be left out.' : `Without it: ${fallback}.`];
  const choice = element(
    'select',
    attributes,
    ...['', ...choices].map((value) => element('option', { value }, value === '' ? 'not sent' : value)),
  );
  // Text, whatever the contract says, so that a value can be sent that breaks it.
  const text = element('input', { ...attributes, value: sample, autocomplete: 'off', spellcheck: 'false' });
  return drawField(name, choices.length > 0 ? choice : text, notes.filter(Boolean).join(' '));
}

function drawBody(mediaType: string, sample: string): HTMLElement {
  const rows = String(Math.min(sample.split('\n').length, 12));
  return drawField(
    'Body',
    element('textarea', { 'data-testid': 'body', rows, spellcheck: 'false' }, sample),
    mediaType,
  );
}

/** What a body may be in place of its text, in megabytes; the last is more than the gateway of the demo takes. */
const BODY_SIZES = { '': 'this text', 1: '1 MB of zeros', 100: '100 MB of zeros', 3072: '3 GB of zeros' };

function drawBodySize(): HTMLElement {
  const sizes = Object.entries(BODY_SIZES).toSorted(([a], [b]) => Number(a) - Number(b));
  const options = sizes.map(([value, title]) => element('option', { value }, title));
  return drawField('What is sent', element('select', { 'data-testid': 'body-size' }, ...options), '');
}

function drawFreeFields(): HTMLElement[] {
  const methods = METHODS.map((method) => element('option', { value: method }, method));
  const path = { 'data-testid': 'free-path', value: '/no/such/path', autocomplete: 'off', spellcheck: 'false' };
  return [
    drawField('Method', element('select', { 'data-testid': 'free-method' }, ...methods), ''),
    drawField('Path', element('input', path), 'With its query.'),
    drawBody('application/json; empty: no body', ''),
  ];
}

function drawField(label: string, control: HTMLElement, note: string): HTMLElement {
  const id = `field-${label.replaceAll(/\W/g, '-')}`;
  control.id = id;
  if (note === '') {
    return element('div', { class: 'field' }, element('label', { for: id }, label), control);
  }
  control.setAttribute('aria-describedby', `${id}-note`);
  const about = element('p', { class: 'about', id: `${id}-note` }, note);
  return element('div', { class: 'field' }, element('label', { for: id }, label), control, about);
}
