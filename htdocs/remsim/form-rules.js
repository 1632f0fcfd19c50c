/** What a form of the API asks for and what it refuses, in the server's own words: no elements here. */

import { msg } from './words.js';

const YES_NO = 'flag';
const LONG = 600;
const RADIOS = 4;

/** The choices of a field or of a list's items: [{const, title}]; null where anything may be typed. */
export function choicesOf(property) {
	const from = property.type === 'array' ? property.items || {} : property;
	if (from.oneOf)
		return from.oneOf.map(one => ({ const: one.const, title: one.title ?? String(one.const) }));
	return from.enum ? from.enum.map(value => ({ const: value, title: String(value) })) : null;
}

/** How a field is drawn: flag, several, radios, select, secret, number, long, lines (a list of texts, one a line), text. */
export function kindOf(property) {
	const choices = choicesOf(property);
	if (property.type === 'array')
		return choices ? 'several' : 'lines';
	if (choices)
		return choices.length <= RADIOS ? 'radios' : 'select';
	if (property.type === 'boolean')
		return YES_NO;
	if (property.format === 'password')
		return 'secret';
	if (property.type === 'integer' || property.type === 'number')
		return 'number';
	return property.maxLength > LONG ? 'long' : 'text';
}

/** Whether only digits fit, so that a phone shows its digits. */
export function isDigits(property) {
	return property.type === 'integer' || /^\^\(\?:(\\d|\[0-9\])(\{[\d,]+\}|\+|\*)?\)\$$/.test(property.pattern || '');
}

/** Units that are words; the others are the same in every language. */
const UNITS = { probes: msg('probes'), cent: msg('cent') };

/** The unit of a field. */
export function unitOf(property, t) {
	return UNITS[property['x-unit']] ? t(UNITS[property['x-unit']]) : property['x-unit'];
}

/** The range or length a field allows, as a short text; empty where there is nothing to say. */
export function limitsOf(property, t) {
	if (property.minimum !== undefined && property.maximum !== undefined)
		return t('%s to %s', property.minimum, property.maximum) + (property['x-unit'] ? `\u202f${unitOf(property, t)}` : '');
	if (kindOf(property) === 'secret' && property.minLength)
		return isDigits(property) ? t('%s to %s digits', property.minLength, property.maxLength) : t('%s to %s characters', property.minLength, property.maxLength);
	return '';
}

/** What the API gets for what was typed or chosen; undefined: the field is left out. */
export function valueOf(property, raw) {
	if (kindOf(property) !== 'number')
		return raw === '' && !('default' in property) ? undefined : raw;
	const text = String(raw ?? '').trim().replace(',', '.').replace(/^−/, '-');
	if (text === '')
		return undefined;
	return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Why a value would be refused, in words that follow the field's label; null when it is fine. */
export function complaint(property, value, isRequired, t) {
	if (value === undefined || value === '' || value === null) {
		if (isRequired && (value === undefined || property.minLength > 0 || choicesOf(property)))
			return t('is needed');
		return value === '' && property.minLength > 0 ? t('has not %s to %s characters', property.minLength, property.maxLength) : null;
	}
	const kind = kindOf(property);
	if (kind === 'number')
		return badNumber(property, value, t);
	if (kind === 'lines')
		return isRequired && !value.length ? t('is needed') : value.length > (property.maxItems ?? Infinity) ? t('has more than %s lines', property.maxItems) : null;
	if (kind === 'several')
		return value.length < (property.minItems || 0) ? t('needs at least %s', property.minItems) : null;
	if (typeof value !== 'string' || choicesOf(property))
		return null;
	const { minLength: shortest = 0, maxLength: longest = Infinity } = property;
	const length = [...value].length; // characters as the service counts them
	if (length < shortest || length > longest)
		return t('has not %s to %s characters', shortest, longest);
	return property.pattern && !new RegExp(property.pattern, 'u').test(value) ? t(property['x-told'] || 'is not of the right form') : null;
}

function badNumber({ type, minimum = -Infinity, maximum = Infinity }, value, t) {
	if (typeof value === 'number' && value >= minimum && value <= maximum && (type !== 'integer' || Number.isInteger(value)))
		return null;
	if (maximum === Infinity && minimum === -Infinity)
		return type === 'integer' ? t('is not a whole number') : t('is not a number');
	return type === 'integer' ? t('is not a whole number from %s to %s', minimum, maximum) : t('is not a number from %s to %s', minimum, maximum);
}

/** Complaints by field; empty when the values can be sent. */
export function complaints(schema, values, t) {
	const required = new Set(schema.required || []);
	const found = Object.entries(schema.properties).map(([name, property]) => [name, complaint(property, values[name], required.has(name), t)]);
	return Object.fromEntries(found.filter(([, text]) => text !== null));
}

/** The server's message of a field without what stands in front of it: the field's own name, and whose it is. */
export function bareMessage(message, field) {
	const at = field ? message.indexOf(`${field}: `) : -1, before = message.slice(0, Math.max(at, 0));
	return at === 0 || /^\S+\.$/.test(before) ? message.slice(at + field.length + 2) : message;
}

/** Whether two values of a field are the same; lists in any order. */
export function isSame(one, other) {
	if (Array.isArray(one) && Array.isArray(other))
		return one.length === other.length && one.every(value => other.includes(value));
	return one === other || ((one === undefined || one === '' || one === null) && (other === undefined || other === '' || other === null));
}
