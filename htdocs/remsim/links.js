/** The Links page: what carries the traffic and how it is shared, the flows as they are, and the settings of both; which of them stands in the address. */

import { el, fill, setText } from './dom.js';
import { LinksData, isOfLinks } from './links-data.js';
import { LinksTab } from './links-list.js';
import { isUsable, rateText, roomSentence } from './links-words.js';
import { TabbedFrame } from './tabs.js';
import { msg } from './words.js';

const TABS = [['links', msg('Links')], ['live', msg('Live view')], ['cost', msg('Data and cost')], ['mptcp', msg('MPTCP')], ['settings', msg('Sharing')]];
/** What is loaded when it is opened first. */
const LATER = {
	live: () => import('./links-live.js').then(({ LiveTab }) => LiveTab), settings: () => import('./links-settings.js').then(({ SettingsTab }) => SettingsTab),
	cost: () => import('./links-cost.js').then(({ CostTab }) => CostTab), mptcp: () => import('./links-mptcp.js').then(({ MptcpTab }) => MptcpTab),
	form: () => import('./links-form.js').then(({ FormTab }) => FormTab), import: () => import('./links-import.js').then(({ ImportTab }) => ImportTab)
};
const BELONGS = { form: 'links', import: 'settings' };

/** Mount the Links page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new LinksPage(node, options);
	await page.start();
	return page;
}

class LinksPage extends TabbedFrame {
	constructor(node, options) {
		super(node, options, 'remsim-linkspage', { label: msg('Links'), tabs: TABS, later: LATER, belongs: BELONGS });
		this.data = new LinksData(this.options, this.store, () => this.shown());
		this.context = this.contextOf(this.data);
		this.sentence = el('p.remsim-links-sentence', { role: 'status', hidden: true });
		this.tabsOpen = { links: new LinksTab(this.context) };
		fill(this.body, this.sentence, this.nav, this.trouble, this.warnings, this.panel);
		this.begin();
	}

	destroy() {
		this.data.destroy();
		super.destroy();
	}

	changed() {
		if (!this._asked) {
			this._asked = true;
			this.data.load();
		} else
			this.shown();
	}

	happened(event) {
		if (isOfLinks(event)) {
			this.data.soon();
			this.tabsOpen[this.tab]?.happened?.(event);
		}
	}

	heard(reading) {
		if (!document.hidden)
			this.tabsOpen[this.tab]?.heard?.(reading);
	}

	tick() {
		this.data.tick();
		this.tabsOpen[this.tab]?.tick?.();
	}

	recolour() {
		this.tabsOpen?.live?.recolour();
	}

	shown() {
		const { t } = this.options, { view } = this.data;
		this.answered(this.data);
		if (!view || !this.store.loaded)
			return;
		const on = view.links.filter(link => link.state !== 'off'), good = on.filter(isUsable), isRunning = view.state === 'running';
		setText(this.summary, isRunning && on.length ? t('%s of %s links work', good.length, on.length) : '');
		this.sentence.hidden = !isRunning || !view.links.length;
		if (!this.sentence.hidden) {
			const sum = key => on.reduce((all, link) => all + (link[key] || 0), 0);
			setText(this.sentence, `${roomSentence(view, t)} ${t('Now %s.', rateText(sum('rx_bps'), sum('tx_bps')))}`);
		}
		const problem = view.state === 'running' && view.problem ? [view.problem] : [];  // a change that failed: what was before goes on
		this.warn([...problem, ...view.warnings || []]);
		this.tabsOpen[this.tab]?.update?.();
	}
}
