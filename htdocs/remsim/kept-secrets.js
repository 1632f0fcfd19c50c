/** Forms of what has secrets, of which the service only says whether they are set. */

import { msg } from './words.js';

/** A form's schema for something that exists: a secret that is set (`{set: true}`, or named in `kept`) is kept when its field is left empty. */
export function keptSecrets(schema, existing, kept = []) {
	const isSet = name => kept.includes(name) || existing?.[name]?.set === true;
	const properties = Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => {
		const field = { ...property };
		delete field.default;
		if (isSet(name))
			return [name, { ...field, description: msg('Is set; left empty it stays as it is.') }];
		return [name, field];
	}));
	return { ...schema, properties, required: (schema.required || []).filter(name => !isSet(name)) };
}

/** Its values for its form: of a secret nothing is known. */
export function shownValues(existing) {
	return Object.fromEntries(Object.entries(existing).filter(([, value]) => value !== null && (typeof value !== 'object' || Array.isArray(value))));
}
