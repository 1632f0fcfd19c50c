/** Forms of what has secrets, of which the service only says whether they are set. */

import { msg } from './words.js';

/** A form's schema for something that exists: a secret that is set is kept when its field is left empty. */
export function keptSecrets(schema, existing) {
	const properties = Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => {
		const field = { ...property }, value = existing?.[name];
		delete field.default;
		if (value && typeof value === 'object' && value.set === true)
			return [name, { ...field, description: msg('Is set; left empty it stays as it is.') }];
		return [name, field];
	}));
	return { ...schema, properties, required: (schema.required || []).filter(name => !existing?.[name]?.set) };
}

/** Its values for its form: of a secret nothing is known. */
export function shownValues(existing) {
	return Object.fromEntries(Object.entries(existing).filter(([, value]) => value !== null && (typeof value !== 'object' || Array.isArray(value))));
}
