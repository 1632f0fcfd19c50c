/** About: versions, what this service can do, licences, and where programs find the API. */

import { el, fill } from './dom.js';
import { Frame } from './frame.js';
import { LiveTable } from './table.js';

/** `options` as for dashboard.js; `luciVersion`: of the LuCI around the page; `fileUrl(name)`: a file of the pages. */
export async function mount(node, options) {
	const page = new About(node, options);
	await page.start();
	return page;
}

class About extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-about');
		const t = this.options.t;
		this.facts = el('dl.remsim-aboutfacts');
		this.problem = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.abilities = el('ul.remsim-abilities');
		this.licences = new LiveTable([
			{ label: t('Part'), text: one => one.name },
			{ label: t('Licence'), node: one => this._licence(one) }
		], one => one.name, t('Licences'));
		const part = (title, ...content) => el('section.remsim-part', {}, el('h2', {}, title), content);
		fill(this.body,
			el('p.remsim-lead', {}, t('The console of a cellular router: modems, their signal and history, alerts, and remote SIMs.')),
			this.problem, this.facts,
			part(t('What this service can do'), el('p.remsim-help', {}, t('Parts of the API, for programs that speak to several versions.')), this.abilities),
			part(t('For programs'), el('p', {}, t('The API is described as OpenAPI; a token from the Access page opens it.')),
				this._link(this.options.apiUrl('openapi.json'), t('Open the description of the API')), this._link(this.options.links.page?.('diagnostics'), t('Diagnostics: how the service does')), this._link(this.options.links.page?.('start'), t('First start, step by step'))),
			part(t('Licences'), this.licences.root));
	}

	async start() {
		await Promise.all([super.start(), this._ask()]);
	}

	async _ask() {
		const t = this.options.t, { luciVersion } = this.options;
		let about;
		try {
			about = await this.options.request('about');
		} catch (error) {
			this.problem.hidden = false;
			fill(this.problem, t('The service does not say what it is: %s', error.message));
			return;
		}
		const facts = [[t('Version'), about.version], [t('API'), `v${about.api_version}`], [t('Oldest mobile app'), about.min_app_version],
			[t('Modems'), about.simulated ? t('simulated') : t('real')], luciVersion ? [t('LuCI'), luciVersion] : null];
		fill(this.facts, facts.filter(Boolean).map(([label, value]) => el('div', {}, el('dt', {}, label), el('dd', {}, value))));
		fill(this.abilities, about.capabilities.map(name => el('li.remsim-mono', {}, name)));
		this.licences.show(about.licences);
	}

	_licence({ licence, file }) {
		const address = file && this.options.fileUrl?.(file);
		return address ? el('a', { href: address }, licence) : licence;
	}

	_link(address, text) {
		return address ? el('p', {}, el('a', { href: address }, text)) : null;
	}
}
