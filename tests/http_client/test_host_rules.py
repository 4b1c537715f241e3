"""Which hosts remote steps call: hostile URLs, addresses in disguise, lists."""

import pytest

from jupyter_graph.errors import AccessDeniedError, SpecError
from jupyter_graph.http_client.addresses import ip_address, kind_of
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.urls import plain_url

DEPLOYED = HostRules(allow_local=False)
NOTEBOOK = HostRules()

METADATA = [
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254:80/",
    "http://169.254.170.2/v2/credentials",
    "http://169.254.0.1/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/machine",
    "http://192.0.0.192/opc/v1/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::a9fe:a9fe]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "http://[::169.254.169.254]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[2001:0:a9fe:a9fe::1]/",
    "http://224.0.0.1/",
    "http://239.255.255.250:1900/",
    "http://[ff02::1]/",
    "http://255.255.255.255/",
    "http://240.0.0.1/",
]
DISGUISED = [
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",
    "http://025177524776/",
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://00000000000000000177.0.0.1/",
    "http://127.0.0.1.:80/",
    "http://1.2.3.4.5/",
    "http://999.1.1.1/",
    "http://127%2e0%2e0%2e1/",
    "http://%31%32%37.0.0.1/",
]
OTHER_SCHEMES = [
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:11211/stat",
    "ldap://127.0.0.1/",
    "data:text/plain,hello",
    "jar:http://example.com!/",
    "unix:///var/run/docker.sock",
    "ws://example.com/",
    "//169.254.169.254/",
    "169.254.169.254/latest",
    "http:169.254.169.254",
    "http:/example.com/",
    "javascript:alert(1)",
    "",
    "http://",
    "http:///path",
    "https://:80/",
]
CONFUSING = [
    "http://example.com@169.254.169.254/",
    "http://169.254.169.254@example.com/",
    "http://user:secret@example.com/",
    "http://@example.com/",
    "http://example.com\\@169.254.169.254/",
    "http:\\\\169.254.169.254/",
    "http://example.com\t.evil.com/",
    " http://example.com/",
    "http://example.com /",
    "http://exa\nmple.com/",
    "http://example.com/\r\nX-Injected: 1",
    "http://example.com/a b",
    "http://example.com/\x00",
    "http://exam[ple.com/",
    "http://example.com:99999/",
    "http://example.com:port/",
    "http://-example.com/",
    "http://a..b/",
]
LOOPBACK = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/",
    "http://127.255.255.254/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://①②⑦.⓪.⓪.①/",
]
PRIVATE = [
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/admin",
    "http://100.64.0.1/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://198.18.0.1/",
]


@pytest.mark.parametrize("url", METADATA + DISGUISED + OTHER_SCHEMES + CONFUSING)
@pytest.mark.parametrize("rules", [DEPLOYED, NOTEBOOK], ids=["deployed", "notebook"])
def test_a_hostile_url_is_refused_everywhere(rules, url):
    with pytest.raises(AccessDeniedError):
        rules.check_url(url)


@pytest.mark.parametrize("url", LOOPBACK + PRIVATE)
def test_a_deployed_function_reaches_no_host_of_its_own_network(url):
    with pytest.raises(AccessDeniedError, match=r"closed here|no name|disguise"):
        DEPLOYED.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/",
        "http://127.0.0.1:8000/",
        "http://[::1]:8000/",
        "http://192.168.1.7/",
        "http://10.1.2.3/",
    ],
)
def test_a_notebook_reaches_its_own_network(url):
    assert NOTEBOOK.check_url(url).host in url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "HTTPS://Example.COM:8443/a?b=c#d",
        "http://models.internal./v1",
        "http://8.8.8.8/",
        "http://[2606:4700::1111]/",
        "http://my_service:8080/",
        "http://bücher.example/",
    ],
)
def test_a_plain_url_passes(url):
    assert DEPLOYED.check_url(url).scheme in ("http", "https")


def test_the_host_that_the_graph_names_may_be_private_but_not_loopback():
    rules = HostRules(allow_local=False, own_host="scorer")

    rules.check_address("scorer", ip_address("10.3.0.7"))

    with pytest.raises(AccessDeniedError, match=r"127\.0\.0\.1 is a loopback address"):
        rules.check_address("scorer", ip_address("127.0.0.1"))
    with pytest.raises(AccessDeniedError, match=r"10\.3\.0\.7 is a private address"):
        rules.check_address("other", ip_address("10.3.0.7"))


@pytest.mark.parametrize(
    ("entry", "host", "address"),
    [
        pytest.param("localhost", "localhost", "127.0.0.1", id="loopback-by-name"),
        pytest.param("*.svc.local", "a.svc.local", "10.0.0.9", id="below-a-name"),
        pytest.param("10.0.0.0/8", "anything", "10.9.9.9", id="network"),
        pytest.param("10.0.0.0/8", "x", "::ffff:10.9.9.9", id="mapped-in-network"),
        pytest.param("169.254.169.254", "x", "169.254.169.254", id="metadata-itself"),
        pytest.param("Models.Internal", "models.internal", "8.8.8.8", id="any-case"),
    ],
)
def test_a_list_opens_what_is_on_it(entry, host, address):
    rules = HostRules([entry], allow_local=False)

    rules.check_address(host, ip_address(address))


@pytest.mark.parametrize(
    ("entry", "host", "address"),
    [
        pytest.param("a.example", "b.example", "8.8.8.8", id="other-name"),
        pytest.param("*.example.com", "example.com", "8.8.8.8", id="the-parent"),
        pytest.param("*.example.com", "evilexample.com", "8.8.8.8", id="same-ending"),
        pytest.param("10.0.0.0/8", "x", "8.8.8.8", id="outside-the-network"),
        pytest.param(
            "a.example", "a.example", "169.254.169.254", id="metadata-by-name"
        ),
    ],
)
def test_a_list_closes_everything_else(entry, host, address):
    with pytest.raises(AccessDeniedError):
        HostRules([entry]).check_address(host, ip_address(address))


def test_a_name_that_is_not_listed_is_refused_before_it_is_looked_up():
    with pytest.raises(AccessDeniedError, match=r"evil.com is not in allow_hosts \(a"):
        HostRules(["a.example"]).check_url("http://evil.com/")


@pytest.mark.parametrize(
    "entries", ["a.example", 5, ["http://a"], ["a/b"], [""], [None], ["0x7f.1"], ["*"]]
)
def test_a_list_of_hosts_holds_names_and_networks(entries):
    with pytest.raises(SpecError, match="allow_hosts"):
        HostRules(entries)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("1.1.1.1", "public"),
        ("2606:4700::1111", "public"),
        ("64:ff9b::8.8.8.8", "public"),
        ("203.0.113.5", "private"),
        ("::", "loopback"),
        ("::8.8.8.8", "closed"),
        ("fec0::1", "private"),
    ],
)
def test_an_address_has_a_kind(address, kind):
    assert kind_of(ip_address(address)) == kind


def test_a_message_shows_no_secret_of_a_url():
    with pytest.raises(AccessDeniedError) as refused:
        DEPLOYED.check_url("http://127.0.0.1/v1?token=hunter2")
    with pytest.raises(AccessDeniedError) as named:
        plain_url("http://ann:hunter2@example.com/")

    assert "hunter2" not in f"{refused.value}{named.value}"
