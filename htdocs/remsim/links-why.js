/** Why a flow went where it went: the policies it passed, and what it would be now. */

import { openDialog } from './dialog.js';
import { el, fill } from './dom.js';
import { linkName } from './links-words.js';
import { explainedNodes } from './policies-explained.js';
import { errorText } from './remote-data.js';

/** Ask about a flow of the live view and show the answer over the page. */
export async function explainFlow(ctx, flow) {
	const { t, root, request, data, options } = ctx, named = name => linkName(data.link(name) || { name });
	const place = el('div.remsim-stack', {}, el('p.remsim-muted', {}, t('The policies are being asked …')));
	openDialog(root, { title: t('Why over %s?', named(flow.link)), t }, el('p.remsim-mono', {}, `${flow.protocol} ${flow.source_name || flow.source} → ${flow.domain || flow.destination}${flow.destination_port ? `:${flow.destination_port}` : ''}`), place);
	const asked = { source: flow.source, source_port: flow.source_port, destination: flow.destination, port: flow.destination_port, protocol: flow.protocol, domain: flow.domain };
	try {
		const answer = await request('policies/explain', { method: 'POST', body: Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null && value !== undefined && value !== '')) });
		const first = flow.policy ? t('When it began, the policy %s gave it to %s.', flow.policy, named(flow.link)) : t('When it began, no policy took it; the shares of all links gave it to %s.', named(flow.link));
		fill(place, el('p', {}, el('strong', {}, first), ' ', t('It keeps this link as long as the link works.')), el('h4', {}, t('If it began now')),
			explainedNodes(answer, { t, named, policyUrl: options.links?.page ? `${options.links.page('policies')}` : null }));
	} catch (error) {
		fill(place, el('p.remsim-problem', {}, errorText(error)));
	}
}
