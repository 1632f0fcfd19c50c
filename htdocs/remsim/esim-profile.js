/** One profile on a card: what it is, whether it is in use, what it has carried, and what can be done with it. */

import { costOfSwitch, askForm } from './esim-ask.js';
import { profilePath } from './esim-data.js';
import { ProfileIcon } from './esim-icon.js';
import { CLASS_WORDS, POLICY_WORDS, endOf } from './esim-words.js';
import { el } from './dom.js';
import { bytes, money, number } from './format.js';
import { msg } from './words.js';

const APN = { type: 'string', maxLength: 100, title: msg('APN'), description: msg('Empty: the one that is written down for this profile, else the one in use now.') };

/** A profile as a list item; `holder` is whose card it is on. */
export function profileItem(ctx, holder, profile, isBusy) {
	const { t, options } = ctx, isOn = profile.state === 'enabled', { plan } = profile, unit = [profile.provider, profile.profile_name !== profile.name ? profile.profile_name : null, profile.owner].filter(Boolean).join(' · ');
	const policy = (profile.policy || []).map(one => POLICY_WORDS[one] ? t(POLICY_WORDS[one]) : one);
	return el(`li.remsim-esim-profile${isOn ? '.remsim-esim-on' : ''}`, { 'data-profile': profile.id },
		new ProfileIcon(profile).root,
		el('div.remsim-esim-what', {},
			el('header', {}, el('h3', {}, profile.name), el(`span.${isOn ? 'remsim-good' : 'remsim-muted'}`, {}, isOn ? `● ${t('In use now')}` : `○ ${t('Not in use')}`), profile.class && profile.class !== 'operational' ? el('span.remsim-mode', {}, t(CLASS_WORDS[profile.class] || profile.class)) : null),
			unit || profile.iccid ? el('p.remsim-muted', {}, [unit, profile.iccid && t('ICCID %s', endOf(profile.iccid))].filter(Boolean).join(' · ')) : null,
			planLine(plan, ctx.store.now(), t), usageLine(profile.usage, t),
			policy.map(text => el('p.remsim-help', {}, text))),
		options.readonly ? null : buttons(ctx, holder, profile, isBusy));
}

function planLine(plan, nowS, t) {
	if (!plan)
		return null;
	const isOver = plan.expires && plan.expires < new Date(nowS * 1000).toISOString().slice(0, 10);
	const parts = [plan.apn && t('APN %s', plan.apn), plan.expires && t(isOver ? 'ended on %s' : 'ends on %s', plan.expires), Number.isFinite(plan.price_cycle) && plan.price_cycle > 0 && t('%s a cycle', money(plan.price_cycle, plan.currency)), plan.note].filter(Boolean);
	return parts.length ? el(isOver ? 'p.remsim-problem' : 'p', {}, parts.join(' · ')) : null;
}

function usageLine(usage, t) {
	if (!usage || !Number.isFinite(usage.counted_bytes))
		return null;
	const { counted_bytes: used, cap_bytes: cap, cost, currency } = usage, price = Number.isFinite(cost) && cost > 0 ? ` · ${money(cost, currency)}` : '';
	if (!cap)
		return el('p', {}, t('%s in this billing cycle', bytes(used)), price);
	const percent = 100 * used / cap, look = percent >= 100 ? 'poor' : percent >= 80 ? 'fair' : 'good';
	return el('div', {}, t('%s of %s in this billing cycle', bytes(used), bytes(cap)), ` (${number(percent)}\u202f%)`, price, el(`progress.remsim-esim-cap.remsim-quality-${look}`, { max: 100, value: Math.min(100, percent), 'aria-label': t('Used of the cap') }));
}

function buttons(ctx, holder, profile, isBusy) {
	const { t, options } = ctx, isOn = profile.state === 'enabled', policy = profile.policy || [], usage = options.links.page?.('usage');
	const button = (look, word, work, disabled = false, why = null) => el(`button${look}`, { type: 'button', disabled: isBusy || disabled, title: why, 'aria-label': t('%s: %s', word, profile.name), click: work }, word);
	return el('div.remsim-esim-do', {},
		isOn ? null : button('.remsim-primary', t('Switch to it'), () => switchTo(ctx, holder, profile)),
		button('', t('Rename'), () => rename(ctx, holder, profile)),
		el('details.remsim-esim-more', {}, el('summary', { 'aria-label': t('More: %s', profile.name) }, t('More')), el('div.remsim-tools', {},
			usage ? el('a.remsim-button', { href: usage }, t('Plan and APN')) : null,
			isOn ? button('.remsim-danger', t('Disable'), () => disable(ctx, holder, profile), policy.includes('cannot_disable')) : null,
			button('.remsim-danger', t('Delete'), () => remove(ctx, holder, profile), isOn || policy.includes('cannot_delete')),
			isOn ? el('span.remsim-help', {}, t('A profile in use cannot be deleted: switch to another one first.')) : null)));
}

/** Ask how, then switch. */
export function switchTo(ctx, holder, profile) {
	const { t, data } = ctx, settings = data.view?.settings || {}, before = holder.profiles.find(one => one.state === 'enabled');
	const properties = {
		return: { type: 'boolean', default: true, title: before ? t('Go back to %s if no network takes it', before.name) : msg('Stop waiting if no network takes it') },
		minutes: { type: 'integer', minimum: 1, maximum: 60, 'x-unit': 'min', default: settings.register_minutes || 5, title: msg('Wait for the network') },
		apn: { ...APN, default: profile.plan?.apn || '' }
	};
	if (!before)
		delete properties.return;
	if (holder.kind !== 'modem')
		Object.keys(properties).forEach(name => delete properties[name]);
	return askForm(ctx, {
		title: t('Switch to %s?', profile.name), submitLabel: t('Switch'), schema: { properties, required: holder.kind === 'modem' ? ['minutes'] : [] },
		texts: [costOfSwitch(ctx, holder), before && (before.policy || []).includes('delete_on_disable') ? t('%s is deleted from the card by this: its operator wants it so.', before.name) : ''],
		submit: values => ctx.data.begin(profilePath(holder.id, profile.id, '/enable'), { body: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '')) }, { profile: profile.id })
	}).then(job => job && ctx.toJob(holder.id));
}

function rename(ctx, holder, profile) {
	const { t } = ctx;
	return askForm(ctx, {
		title: t('Rename %s', profile.name), submitLabel: t('Rename'), texts: [t('The name is kept on the card itself. Empty: the operator’s own name.')],
		schema: { properties: { nickname: { type: 'string', maxLength: 64, title: msg('Name'), default: profile.nickname || '' } } },
		submit: values => ctx.data.begin(profilePath(holder.id, profile.id), { method: 'PUT', body: { nickname: values.nickname || '' } })
	});
}

function disable(ctx, holder, profile) {
	const { t } = ctx;
	return askForm(ctx, {
		title: t('Disable %s?', profile.name), submitLabel: t('Disable'), danger: true,
		texts: [t('The card has no profile in use then, and %s no service until one is enabled. To change profiles, switch to the other one instead.', holder.name), costOfSwitch(ctx, holder)],
		schema: { properties: { sure: { type: 'boolean', title: t('%s may go without service', holder.name) } } },
		submit: values => {
			if (!values.sure)
				throw Object.assign(new Error(t('Say that it may.')), { field: 'sure' });
			return ctx.data.begin(profilePath(holder.id, profile.id, '/disable'), { body: { sure: true } });
		}
	});
}

function remove(ctx, holder, profile) {
	const { t } = ctx;
	return askForm(ctx, {
		title: t('Delete %s for good?', profile.name), submitLabel: t('Delete'), danger: true,
		texts: [t('The profile leaves the card and cannot be copied or brought back. Most operators do not give it out a second time.'), t('Its operator is told.')],
		schema: { properties: { name: { type: 'string', maxLength: 128, minLength: 1, title: t('To delete it, type its name: %s', profile.name) } }, required: ['name'] },
		submit: values => {
			if (values.name.trim() !== profile.name.trim())
				throw Object.assign(new Error(t('That is not its name.')), { field: 'name' });
			return ctx.data.begin(profilePath(holder.id, profile.id), { method: 'DELETE', body: { name: values.name } });
		}
	});
}
