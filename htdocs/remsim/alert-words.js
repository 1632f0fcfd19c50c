/** Alerts in the user's words: severities with their shapes, values with their units, a rule as a sentence. */

import { el } from './dom.js';
import { lasting, number, withUnit } from './format.js';
import { STATE_WORDS, msg } from './words.js';

/** Shape and word of a severity, of alerts and of events (whose worst is `error`). */
export const SEVERITIES = {
	info: ['●', msg('Info')],
	warning: ['▲', msg('Warning')],
	error: ['✖', msg('Error')],
	critical: ['✖', msg('Critical')]
};

/** A severity as shape and word, so that colour never says it alone. */
export function severityNode(severity, t) {
	const [shape, word] = SEVERITIES[severity] || SEVERITIES.info;
	return el(`span.remsim-severity.remsim-severity-${severity}`, {}, el('span', { 'aria-hidden': 'true' }, `${shape} `), t(word));
}

const DAYS = { mon: msg('Mon'), tue: msg('Tue'), wed: msg('Wed'), thu: msg('Thu'), fri: msg('Fri'), sat: msg('Sat'), sun: msg('Sun') };

/** A value or a limit as people read it: a number with its unit, words of states. */
export function valueText(value, unit, t) {
	if (value === null || value === undefined)
		return '–';
	if (typeof value === 'number')
		return unit ? withUnit(value, unit, Number.isInteger(value) ? 0 : 1) : number(value, Number.isInteger(value) ? 0 : 1);
	if (typeof value === 'boolean')
		return t(value ? 'yes' : 'no');
	return String(value).split(',').map(word => STATE_WORDS[word] ? t(STATE_WORDS[word]) : word).join(t(' or '));
}

/** What a rule looks at: the title its source gives it, else its own name. */
export function measureOf(rule, measures) {
	return (measures?.[rule.source] || []).find(one => one.const === rule.measure) || { const: rule.measure, title: String(rule.measure || '').replaceAll('_', ' '), unit: null };
}

/** A rule in one sentence: `RSRP below −110 dBm for 5 min, any modem`. `names`: id of a modem to its name. */
export function ruleSentence(rule, measures, names, t) {
	const { title, unit } = measureOf(rule, measures), what = t(title), limit = valueText(rule.threshold, unit, t);
	const sentence = {
		above: () => t('%s above %s', what, limit),
		below: () => t('%s below %s', what, limit),
		is: () => t('%s is %s', what, limit),
		is_not: () => t('%s is not %s', what, limit),
		count_at_least: () => t('%s at least %s times within %s', what, limit, lasting(rule.window_s)),
		absent: () => t('%s is not known', what)
	}[rule.comparison]?.() ?? what;
	const parts = [rule.for_s > 0 ? t('%s for %s', sentence, lasting(rule.for_s)) : sentence];
	if (rule.source !== 'router' && rule.source !== 'usage')
		parts.push(rule.modem ? t('only %s', names.get(rule.modem) || rule.modem) : t('any modem'));
	if (rule.days?.length && rule.days.length < 7)
		parts.push(rule.days.map(day => t(DAYS[day] || day)).join(' '));
	if (rule.from_time && rule.to_time)
		parts.push(t('from %s to %s', rule.from_time, rule.to_time));
	return parts.join(', ');
}
