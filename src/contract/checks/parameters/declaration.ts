import { isJsonObject, type JsonObject } from '../../../syntax/json.ts';
import { follow, type Located } from '../../openapi/references.ts';
import type { Check, Outline, SchemaCompiler } from '../../schema/schemas.ts';
import { isFormUrlencoded, isJson, isText } from '../media-type.ts';

/** Where a parameter stands; `querystring` is the whole query (OpenAPI 3.2 §4.12). */
export type ParameterPlace = 'path' | 'query' | 'querystring' | 'header' | 'cookie';

/** How a value is written (OpenAPI 3.1 §4.8.12.2, and `cookie` of OpenAPI 3.2). */
export type Style =
  'matrix' | 'label' | 'simple' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject' | 'cookie';

/** What the contract says of a parameter. */
export interface Declaration extends Outline {
  readonly name: string;
  readonly in: ParameterPlace;
  readonly required: boolean;
  /** True when an empty value passes, whatever the schema says. */
  readonly allowsEmpty: boolean;
  readonly style: Style;
  readonly explode: boolean;
  /** True when its values can be more than lists, maps and null. */
  readonly takesText: boolean;
  /** For one with `content`, which has no style. */
  readonly mediaType: string | undefined;
  /** Absent where nothing can be checked. */
  readonly check: Check | undefined;
}

const STYLES: Readonly<Record<ParameterPlace, readonly Style[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  querystring: [],
  header: ['simple'],
  cookie: ['form', 'cookie'],
};

/** Those whose lists and maps are several pairs, unless the document says something else. */
const EXPLODED: readonly string[] = ['form', 'cookie', 'deepObject'] satisfies Style[];

type Common = Pick<Declaration, 'name' | 'in' | 'required' | 'allowsEmpty' | 'style' | 'explode'>;

/**
 * Reads the declaration of a parameter.
 *
 * @throws {Error} when it cannot be enforced
 */
export function readDeclaration(root: JsonObject, parameter: Located, schemas: SchemaCompiler): Declaration {
  const { value, pointer } = parameter;
  const name = String(value['name']);
  const common = readCommon(value, name);
  const [mediaType] = isJsonObject(value['content']) ? Object.keys(value['content']) : [];
  if (mediaType !== undefined) {
    return { ...common, ...readContent(root, parameter, mediaType, schemas) };
  }
  const { schema } = value;
  if (common.in === 'querystring') {
    throw new Error(`the parameter ${name} is the whole query and has no content`);
  }
  if (!isJsonObject(schema) && typeof schema !== 'boolean') {
    throw new Error(`the parameter ${name} has neither a schema nor content`);
  }
  const at = `${pointer}/schema`;
  const check = schemas.compileParameter(at);
  const outline = schemas.outlineAt(at);
  if (!STYLES[common.in].includes(common.style) || (common.style === 'deepObject' && isNoNest(outline))) {
    const reason = common.style === 'deepObject' ? ' for this schema' : '';
    throw new Error(
      `the parameter ${name} has the style ${common.style}, which is not supported in ${common.in}${reason}`,
    );
  }
  return { ...common, ...outline, takesText: takesText(outline), mediaType: undefined, check };
}

function readCommon({ in: place, style, explode, required, allowEmptyValue }: JsonObject, name: string): Common {
  if (typeof place !== 'string' || !Object.hasOwn(STYLES, place)) {
    throw new Error(`the parameter ${name} stands in ${String(place)}, which is not a place for parameters`);
  }
  const [defaultStyle = 'form'] = STYLES[place as ParameterPlace];
  const ownStyle = (typeof style === 'string' ? style : defaultStyle) as Style;
  return {
    name,
    in: place as ParameterPlace,
    required: required === true,
    allowsEmpty: allowEmptyValue === true && place === 'query',
    style: ownStyle,
    explode: typeof explode === 'boolean' ? explode : EXPLODED.includes(ownStyle),
  };
}

type Content = Omit<Declaration, keyof Common>;

function readContent(root: JsonObject, parameter: Located, mediaType: string, schemas: SchemaCompiler): Content {
  const content = follow(root, parameter, 'content');
  const media = content && follow(root, content, mediaType);
  const unchecked = {
    mediaType,
    kinds: new Set<never>(),
    members: new Set<never>(),
    takesText: true,
    check: undefined,
  };
  if (media?.value['schema'] === undefined) {
    return unchecked;
  }
  const at = `${media.pointer}/schema`;
  if (isJson(mediaType)) {
    return { ...unchecked, ...schemas.outlineAt(at), check: schemas.compile(at) };
  }
  const isForm = parameter.value['in'] === 'querystring' && isFormUrlencoded(mediaType);
  return isText(mediaType) || isForm
    ? { ...unchecked, ...schemas.outlineAt(at), check: schemas.compileParameter(at) }
    : unchecked;
}

/** True when a value can be a text, a number or a boolean, or there is none that it can be. */
function takesText({ kinds }: Outline): boolean {
  return kinds.has('string') || kinds.has('number') || kinds.has('boolean') || isNoNest({ kinds });
}

function isNoNest({ kinds }: Pick<Outline, 'kinds'>): boolean {
  return !kinds.has('array') && !kinds.has('object');
}
