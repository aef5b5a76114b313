// Whether a value is what a JSON schema says: as much of that language as `openapi.json` speaks.

const kindOf = (value) => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
};

const isOf = (kind, type) => kind === type || (kind === "integer" && type === "number");

/** What is wrong with a value, each with its place; `resolve` gives the schema behind a `$ref`. */
export function faultsOf(value, schema, resolve, at = "$") {
  if (schema.$ref) return faultsOf(value, resolve(schema.$ref), resolve, at);
  if (schema.oneOf) {
    const tries = schema.oneOf.map((each) => faultsOf(value, each, resolve, at));
    if (tries.filter((faults) => faults.length === 0).length === 1) return [];
    return [`${at} is none of ${tries.length} kinds: ${tries.map((faults) => faults[0]).join("; ")}`];
  }
  if ("const" in schema) return value === schema.const ? [] : [`${at} is not ${schema.const}`];
  const kind = kindOf(value);
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOf(kind, type))) return [`${at} is ${kind}, not ${types.join(" or ")}`];
  if (kind === "array") {
    const { items = {}, minItems = 0, maxItems = Infinity } = schema;
    if (value.length < minItems || value.length > maxItems) return [`${at} has ${value.length} items`];
    return value.flatMap((each, index) => faultsOf(each, items, resolve, `${at}[${index}]`));
  }
  if (kind === "object") {
    const missing = (schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`);
    const known = Object.entries(schema.properties ?? {}).filter(([name]) => name in value);
    return [...missing, ...known.flatMap(([name, each]) => faultsOf(value[name], each, resolve, `${at}.${name}`))];
  }
  if (value < schema.minimum || value > schema.maximum) return [`${at} is out of range`];
  return [];
}
