/** Settings by their names: `web.listen` is “Web server: Listen on”. */

/** What a path of the API means; `types` as `config/form` tells them. Unknown parts stay as they are. */
export function wordsOf(path, types, t) {
	const { kind, key, option } = partsOf(path), type = types.find(one => one.type === kind);
	if (!type)
		return path;
	const property = option && type.schema.properties[option];
	const where = key ? t('%s %s', t(type.label), key) : t(type.label);
	return option ? t('%s: %s', where, property?.title ? t(property.title) : option) : where;
}

/** `modem[1-1.2].name` as {kind, key, option}. */
export function partsOf(path) {
	const found = /^([^.[]+)(?:\[(.*?)\](?:#\d+)?)?(?:\.([A-Za-z0-9_]+))?$/.exec(path) || [];
	return { kind: found[1] || path, key: found[2] || null, option: found[3] || null };
}
