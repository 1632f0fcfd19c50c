/** The form of an alert rule, narrowed to what its source has: no elements here. */

import { measuresOf } from './alert-words.js';
import { STATE_WORDS, msg } from './words.js';

const TIMES = { for_s: [0, 30, 60, 300, 900, 3600], clear_for_s: [0, 30, 60, 300, 900], window_s: [300, 600, 3600, 86400], repeat_s: [0, 3600, 14400, 86400] };
const TIME_WORDS = { 0: msg('at once, or never'), 30: msg('30 s'), 60: msg('1 min'), 300: msg('5 min'), 600: msg('10 min'), 900: msg('15 min'), 3600: msg('1 hour'), 14400: msg('4 hours'), 86400: msg('1 day') };
const YES_NO = [{ const: 'yes', title: msg('yes') }, { const: 'no', title: msg('no') }];

/** Whether a rule compares words and not numbers. */
export function isOfWords(rule) {
	return rule.source === 'state' || rule.measure === 'clock_set';
}

function measureField(property, choices) {
	return choices.length ? { ...property, type: 'string', description: undefined, oneOf: choices } : property;
}

/** The words a state may have, where they are known. */
function wordsOf(rule, choice) {
	if (rule.measure === 'clock_set')
		return YES_NO;
	if (rule.measure === 'state')
		return (choice?.values || Object.keys(STATE_WORDS)).map(word => ({ const: word, title: STATE_WORDS[word] || word }));
	return choice?.values?.map(word => ({ const: word, title: word })) || null;
}

function thresholdField(property, rule, choice) {
	const title = property.title;
	if (rule.source === 'event')
		return { type: 'integer', minimum: 1, maximum: 1000, title: msg('How often') };
	if (!isOfWords(rule))
		return { type: 'number', title, 'x-unit': choice?.unit };
	const words = wordsOf(rule, choice);
	return words ? { type: 'array', items: { oneOf: words }, minItems: 1, title: msg('Any of') } : { type: 'string', minLength: 1, maxLength: 200, title, description: msg('Words, parted by commas.') };
}

/**
 * The schema of `GET alert-rules/form` with only what a rule with these values can have. `lists`: modems and channels as
 * [{const, title}]. `x-measures` and `x-comparisons` of the schema say what each source has.
 */
export function narrowed(schema, rule, lists) {
	const comparisons = schema['x-comparisons'], choices = measuresOf(rule.source, schema['x-measures']), choice = choices?.find(one => one.const === rule.measure), properties = {};
	for (const [name, property] of Object.entries(schema.properties)) {
		const field = { ...property };
		delete field.default; // what is in force is put in, so that nothing else is sent
		if (name === 'name' || !belongs(name, rule))
			continue;
		if (name === 'measure')
			properties[name] = measureField(field, choices);
		else if (name === 'comparison')
			properties[name] = { ...field, oneOf: allowed(field.oneOf, comparisons?.[rule.source], rule) };
		else if (name === 'threshold')
			properties[name] = thresholdField(field, rule, choice);
		else if (name === 'modem')
			properties[name] = { ...field, type: 'string', description: undefined, oneOf: [{ const: '', title: msg('Each of them on its own') }, ...lists.modems], default: '' };
		else if (name === 'channels')
			properties[name] = lists.channels.length ? { ...field, type: 'array', items: { oneOf: lists.channels } } : null;
		else if (TIMES[name])
			properties[name] = { ...field, minimum: undefined, maximum: undefined, 'x-suggestions': TIMES[name].map(time => ({ const: String(time), title: TIME_WORDS[time] })) };
		else if (name === 'hysteresis')
			properties[name] = { ...field, minimum: undefined, maximum: undefined, 'x-unit': choice?.unit };
		else
			properties[name] = field;
		if (properties[name] === null)
			delete properties[name];
	}
	const required = [...new Set([...(schema.required || []), 'label', 'threshold', 'for_s', 'window_s'])].filter(name => name in properties);
	return { ...schema, properties, required };
}

function belongs(name, rule) {
	if (name === 'modem')
		return ['measure', 'state', 'event'].includes(rule.source);
	if (name === 'window_s')
		return rule.source === 'event';
	if (name === 'hysteresis')
		return !isOfWords(rule) && ['above', 'below'].includes(rule.comparison);
	if (name === 'threshold')
		return rule.comparison !== 'absent';
	return true;
}

function allowed(all, names, rule) {
	let fit = names ? all.filter(one => names.includes(one.const)) : all;
	if (isOfWords(rule))
		fit = fit.filter(one => !['above', 'below'].includes(one.const));
	return fit;
}

/** A rule whose fields fit together again after its source or measure became another one. */
export function mended(schema, rule) {
	const measures = measuresOf(rule.source, schema['x-measures']), comparisons = allowed(schema.properties.comparison.oneOf, schema['x-comparisons']?.[rule.source], rule);
	const made = { ...rule };
	if (measures.length && !measures.some(one => one.const === made.measure)) {
		made.measure = measures[0].const;
		delete made.threshold;
	}
	const fit = isOfWords(made) ? comparisons.filter(one => !['above', 'below'].includes(one.const)) : comparisons;
	if (fit.length && !fit.some(one => one.const === made.comparison))
		made.comparison = fit[0].const;
	if (isOfWords(made) !== (typeof made.threshold !== 'number'))
		delete made.threshold;
	return made;
}

/** What a form is filled with: words as a list where they are chosen, no modem as the empty choice. */
export function formValues(schema, rule) {
	const isList = schema.properties.threshold?.type === 'array';
	return { ...rule, modem: rule.modem || '', ...(isList ? { threshold: String(rule.threshold ?? '').split(',').filter(Boolean) } : {}) };
}

/** The rule that a form's values make; what does not belong to it is left out. */
export function ruleOf(values, before = {}) {
	const rule = { ...before, ...values, modem: values.modem || null };
	if (Array.isArray(rule.threshold))
		rule.threshold = rule.threshold.join(',');
	if (rule.comparison === 'absent')
		rule.threshold = null;
	return rule;
}

/** A rule or a channel as it is sent: what is empty is left out, for then the default holds. */
export function sendable(values) {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && !value.length)));
}

/** A name for UCI from what the user calls the rule, unlike those that are taken. */
export function nameOf(label, taken) {
	const bare = label.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 28) || 'rule';
	for (let number = 1; ; number++) {
		const name = number === 1 ? bare : `${bare}_${number}`;
		if (!taken.includes(name))
			return name;
	}
}
