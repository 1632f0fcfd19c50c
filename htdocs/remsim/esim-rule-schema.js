/** The form of a rule that switches profiles, narrowed to what its reason has: no elements here. */

import { msg } from './words.js';

const TIMES = [[0, msg('at once')], [60, msg('1 min')], [300, msg('5 min')], [900, msg('15 min')], [3600, msg('1 hour')], [86400, msg('1 day')]];
const LIMITS = { usage: { 'x-unit': '%', description: msg('Of the cap in its plan.') }, unused: { 'x-unit': '%', description: msg('Of the cap in its plan.') }, cost: { description: msg('In the currency of its plan.') } };

/** Which fields count for some reasons only; all others are every rule's. */
function conditional(schema) {
	return new Set(Object.values(schema['x-fields'] || {}).flat());
}

/** The schema of `GET esim/rules/form` for a rule with these values; `holders` are the cards that are known. */
export function narrowed(schema, rule, holders) {
	const some = conditional(schema), mine = schema['x-fields']?.[rule.when] || [], known = schema['x-profiles'] || {}, properties = {};
	const profiles = known[rule.modem] || (holders.find(one => one.id === rule.modem)?.profiles || []).map(one => ({ const: one.id, title: one.name }));
	const withNow = (choices, now) => now && !choices.some(one => one.const === now) ? [...choices, { const: now, title: now }] : choices;
	for (const [name, property] of Object.entries(schema.properties)) {
		const field = { ...property };
		delete field.default; // what is in force is put in, so that nothing else is sent
		if (name === 'name' || (some.has(name) && !mine.includes(name)))
			continue;
		if (name === 'modem')
			properties[name] = { ...field, oneOf: withNow(holders.map(one => ({ const: one.id, title: one.name })), rule.modem) };
		else if (name === 'profile' && profiles.length)
			properties[name] = { ...field, oneOf: withNow(profiles, rule.profile) };
		else if (name === 'only_from' && profiles.length)
			properties[name] = { ...field, description: undefined, oneOf: [{ const: '', title: msg('whichever is in use') }, ...withNow(profiles, rule.only_from)], default: '' };
		else if (name === 'threshold')
			properties[name] = { type: 'number', title: field.title, ...LIMITS[rule.when] };
		else if (name.endsWith('_s'))
			properties[name] = { ...field, minimum: undefined, maximum: undefined, 'x-suggestions': TIMES.map(([time, title]) => ({ const: String(time), title })) };
		else
			properties[name] = field;
	}
	const required = [...new Set([...(schema.required || []), 'label', 'threshold', ...(mine.includes('countries') ? ['countries'] : [])])].filter(name => name in properties);
	return { ...schema, properties, required };
}

/** What a form is filled with: a rule's own values, else the defaults. */
export function ruleValues(schema, rule) {
	const made = {};
	for (const [name, property] of Object.entries(schema.properties)) {
		const value = rule[name] ?? property.default;
		if (value !== undefined && value !== null)
			made[name] = value;
	}
	return { when: 'no_service', ...made };
}

/** The class of a decision. */
export function decisionLook(decision) {
	if (['switches', 'would_switch', 'switched', 'holds'].includes(decision))
		return 'remsim-good';
	return ['failed', 'blocked'].includes(decision) ? 'remsim-problem' : 'remsim-muted';
}
