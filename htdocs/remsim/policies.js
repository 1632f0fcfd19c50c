/** The Policies page: what is asked of each new flow in order, the text that says it, its versions, and how names and countries are known. */

import { el, fill, setText } from './dom.js';
import { PoliciesData } from './policies-data.js';
import { ListTab } from './policies-list.js';
import { PendingBanner } from './policies-pending.js';
import { TabbedFrame } from './tabs.js';
import { msg } from './words.js';

const TABS = [['list', msg('Policies')], ['text', msg('Edit')], ['versions', msg('Versions')], ['names', msg('Names and countries')]];
/** What is loaded when it is opened first. */
const LATER = {
	text: () => import('./policies-editor.js').then(({ EditorTab }) => EditorTab), versions: () => import('./policies-versions.js').then(({ VersionsTab }) => VersionsTab),
	names: () => import('./policies-names.js').then(({ NamesTab }) => NamesTab)
};

/** Mount the Policies page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new PoliciesPage(node, options);
	await page.start();
	return page;
}

class PoliciesPage extends TabbedFrame {
	constructor(node, options) {
		super(node, options, 'remsim-policiespage', { label: msg('Policies'), tabs: TABS, later: LATER });
		this.data = new PoliciesData(this.options, this.store, () => this.shown());
		this.context = { ...this.contextOf(this.data), words: {} };
		this.pending = new PendingBanner(this.context);
		this.state = el('div', { hidden: true });
		this.tabsOpen = { list: new ListTab(this.context) };
		fill(this.body, this.pending.root, this.nav, this.trouble, this.state, this.panel);
		this._leave = event => { if (this.tabsOpen.text?.isDirty) event.preventDefault(); };
		window.addEventListener('beforeunload', this._leave);
		this.begin();
	}

	destroy() {
		window.removeEventListener('beforeunload', this._leave);
		this.data.destroy();
		super.destroy();
	}

	changed() {
		if (this._asked) {
			this.shown();
			return;
		}
		this._asked = true;
		this.data.load();
		this.options.request('policies/vocabulary').then(words => { this.context.words = words; this.shown(); }, () => {});
	}

	happened(event) {
		this.data.happened(event);
	}

	tick() {
		this.data.tick();
		this.pending.tick();
		this.tabsOpen[this.tab]?.tick?.();
	}

	shown() {
		const { t } = this.options, { view } = this.data;
		this.answered(this.data);
		if (!view || !this.store.loaded)
			return;
		const open = view.policies.filter(policy => policy.is_open).length;
		setText(this.summary, view.policies.length && view.state === 'in_force' ? t('%s of %s policies are asked now', open, view.policies.length) : '');
		this.links.text.textContent = t(this.tabsOpen.text?.isDirty ? msg('Edit •') : msg('Edit'));
		this.pending.update(view.pending, view.version);
		this._state(view);
		this.tabsOpen[this.tab]?.update?.();
	}

	/** What is in the way of all of them, and whose they are. */
	_state(view) {
		const { t, links, readonly } = this.options, told = JSON.stringify([view.state, view.problem, view.source, view.is_overridden, view.has_remote, view.policies.length]);
		if (told === this._stateTold)
			return;
		this._stateTold = told;
		const override = (text, is, word) => el('div.remsim-note', {}, el('p', {}, text), readonly ? null : el('button', { type: 'button', click: () => this._override(is) }, word));
		const parts = [
			view.state === 'failed' ? el('p.remsim-problem', { role: 'alert' }, el('strong', {}, view.problem?.message || t('The policies could not be put in force; what was in force before still is.')), view.problem?.hint ? ` – ${view.problem.hint}` : '') : null,
			view.state === 'off' && view.policies.length ? el('p.remsim-note', {}, t('Links are switched off, so no policy is asked.'), ' ', links.page ? el('a', { href: links.page('links') }, t('To the links')) : null) : null,
			this.data.isPushed ? override(t('These policies were pushed by your orchestrator. The local ones are kept, but not asked.'), true, t('Use the local ones instead')) : null,
			view.is_overridden && view.has_remote !== false ? override(t('Your orchestrator has pushed policies; the local ones are asked instead.'), false, t('Use the pushed ones')) : null
		].filter(Boolean);
		this.state.hidden = !parts.length;
		fill(this.state, parts);
	}

	async _override(isOverridden) {
		const { t, request } = this.options;
		try {
			await request('policies/override', { method: 'POST', body: { is_overridden: isOverridden } });
			await this.data.load();
			this.context.said(isOverridden ? t('The local policies are asked now.') : t('The pushed policies are asked now.'));
		} catch (error) {
			this.context.failed(error);
		}
	}
}
