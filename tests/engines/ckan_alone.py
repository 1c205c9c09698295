"""ckanext-dcat without CKAN: its packages from PyPI, and stand-ins for the few names of CKAN that it uses."""
import fcntl, json, subprocess, sys, types, venv

from environment import CACHE

FOLDER = CACHE / "ckanext-dcat-venv"
PACKAGES = ["rdflib==7.6.0", "geomet==1.1.0", "python-dateutil", "ckanext-dcat==2.4.4"]
SITE = "http://portal.example.org"


def install():
    """Installs what is missing; of several that start at once, one does it and the others wait."""
    CACHE.mkdir(parents=True, exist_ok=True)
    done = FOLDER / "installed"
    with open(FOLDER.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.read_text() == " ".join(PACKAGES):
            return
        print("installing ckanext-dcat from PyPI", flush=True)
        venv.create(FOLDER, with_pip=True)
        for package in PACKAGES:
            alone = ["--no-deps"] if package.startswith("ckanext") else []
            subprocess.run([FOLDER / "bin/pip", "-q", "install", *alone, package], check=True)
        done.write_text(" ".join(PACKAGES))


def module(name, **members):
    """A stand-in for a module of CKAN."""
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
    parent, _, child = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], child, made)
    return made


def no_action(name):
    """CKAN's actions where there is no CKAN, nor its extension of forms."""
    if name == "scheming_dataset_schema_show":
        raise KeyError(name)
    return lambda *_: {}


def stand_in(get_action=no_action):
    """Makes `ckanext.dcat` importable; `get_action` answers for CKAN's actions."""
    install()
    site = next(FOLDER.glob("lib/python*/site-packages"))
    # At the end: an rdflib that the caller has already is the one that both use.
    sys.path.append(str(site))
    truth = lambda value: str(value).lower() in ("true", "yes", "on", "1")
    names = dict(
        config={"ckan.site_url": SITE, "ckanext.dcat.base_uri": SITE, "ckan.locale_default": "en"}, asbool=truth,
        aslist=lambda value, *_: value if isinstance(value, list) else (value or "").split(), get_action=get_action,
        ObjectNotFound=KeyError, url_for=lambda *_, **given: f"{SITE}/dataset/{given.get('id', '')}", h=None, _=str,
        Invalid=ValueError, navl=None, check_ckan_version=lambda *_, **__: True, get_validator=lambda _: None,
        missing=object(), StopOnError=Exception, request=None, current_user=None, abort=None)
    module("ckantoolkit", **names)
    for name in ("ckan", "ckan.lib", "ckan.model", "ckan.views", "ckan.plugins"):
        module(name)
    module("ckan.exceptions", HelperError=Exception)
    module("ckan.lib.helpers", resource_formats=dict)
    module("ckan.lib.munge", munge_tag=str)
    module("ckan.model.license", LicenseRegister=dict)
    interface = type("Interface", (), {})
    module("ckan.plugins.interfaces", Interface=interface)
    module("ckan.plugins.toolkit", **names)
    sys.modules["ckan.plugins"].__dict__.update(PluginImplementations=lambda _: [], Interface=interface, toolkit=sys.modules["ckan.plugins.toolkit"])
    module("ckan.views.dataset", read=None)
    module("ckan.views.home", index=None)
    sys.modules["simplejson"] = json
    module("ckanext").__path__ = [str(site / "ckanext")]
