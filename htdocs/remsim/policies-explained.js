/** The answer to “which link?”: where it goes, by which policy, and the rules it passed on the way. */

import { el } from './dom.js';
import { RESULTS, percentText } from './policies-words.js';
import { msg } from './words.js';

/** What the service says of flows in the same words each time. */
export const NOTES = [msg('it takes every flow'), msg('flows that have begun keep their link'), msg('a flow that has begun stays on its link when the policy opens or closes'),
	msg('a name is learned from a flow to it, so it holds from the next flow on'), msg('names are known for devices that ask this router for them; others hold from the next flow on'),
	msg('a name hidden by Encrypted Client Hello or asked of a foreign resolver is not seen')];

/** Nodes of an answer of `policies/explain`. `named(link)` is what a person calls it, `policyUrl` the Policies page, `open(policy)`: it can be shown here. */
export function explainedNodes(answer, { t, named, policyUrl = null, open = null }) {
	const { links = [], steps = [], notes = [] } = answer, where = links.length > 1 ? links.map(one => `${named(one.link)} ${percentText(one.percent)}`).join(' · ') : answer.link ? named(answer.link) : null;
	const nowhere = () => /\bblock\b/.test(answer.route || '') ? t('→ nowhere: it is refused') : answer.policy ? t('→ by %s; which link that is cannot be told now', answer.route || answer.policy) : t('→ the router’s default way');
	const by = answer.policy ? t('by the policy %s', answer.policy) : where ? t('no policy takes it, so by the shares of all links') : t('no policy takes it, and no link carries it');
	const shown = (step, text) => open && step.line ? el('button.remsim-flowpick', { type: 'button', click: () => open(step) }, text) : policyUrl && step.policy ? el('a', { href: `${policyUrl}#${new URLSearchParams({ tab: 'text', line: step.line || 1 })}` }, text) : text;
	return el('div.remsim-explained', {},
		el('p.remsim-explained-link', {}, el('strong', {}, where ? t('→ %s', where) : nowhere()), ' ', el('span.remsim-muted', {}, `${by}${answer.class ? `, ${answer.class === 'interactive' ? t('as an interactive flow') : t('as a bulk flow')}` : ''}`)),
		steps.length ? el('ol.remsim-chain', { 'aria-label': t('The policies it passed') }, steps.map(step => {
			const isTaker = step.result === 'matches' && step.policy === answer.policy;
			const [shape, word, look] = RESULTS[step.result === 'matches' && !isTaker ? 'passed' : step.result] || ['·', step.result, 'none'];
			return el(`li${isTaker ? '.remsim-chain-here' : ''}`, {}, el(`span.remsim-chain-mark.remsim-quality-${look}`, { 'aria-hidden': 'true' }, shape), el('span', {}, el('b', {}, shown(step, step.policy)), ' ', el(`span.remsim-quality-${look}`, {}, t(word)), step.why ? el('span.remsim-muted', {}, `: ${t(step.why)}`) : null));
		})) : el('p.remsim-muted', {}, t('There is no policy to pass.')),
		notes.length ? el('ul.remsim-lacklist', {}, notes.map(note => el('li', {}, `• ${t(note)}`))) : null);
}
