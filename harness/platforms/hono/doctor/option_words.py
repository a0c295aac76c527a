"""The options of `fleetrig doctor hono`: what a device has, what its tenant is, how it calls, who looks on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# What the device has

Cert = Annotated[Path | None, typer.Option(metavar="F", help="The device's certificate, and what is behind it.")]
Key = Annotated[Path | None, typer.Option(metavar="F", help="Its key, to do TLS as the device does.")]
Login = Annotated[str, typer.Option(metavar="AUTH-ID@TENANT", help="Its user name or PSK identity, instead.")]
Secret = Annotated[str | None, typer.Option(metavar="env:NAME", help="Its password, or over coaps its pre-shared key.")]
ClientId = Annotated[str, typer.Option(metavar="ID", help="Its MQTT client id.")]
ActsFor = Annotated[str, typer.Option("--for", metavar="ID", help="The device for which it sends, as a gateway.")]

# What its tenant is

Ca = Annotated[
    list[Path] | None,
    typer.Option("--ca", metavar="F", help="An authority that its tenant trusts, or is to trust; repeatable."),
]
Tenant = Annotated[
    str | None, typer.Option(metavar="ID", help="Its tenant.  [default: from SERVER.yaml; else all are looked at]")
]
TenantFile = Annotated[
    Path | None, typer.Option(metavar="F", help="The tenant as JSON, as it is to be sent or as GET shows it.")
]
CredentialsFile = Annotated[
    Path | None, typer.Option("--credentials", metavar="F", help="The device's credentials as JSON, as they are sent.")
]
AuthIdTemplate = Annotated[str | None, typer.Option(metavar="T", help="auth-id-template of --ca.")]
DeviceIdTemplate = Annotated[
    str | None, typer.Option(metavar="T", help="auto-provisioning-device-id-template of --ca.")
]
IfMatch = Annotated[str, typer.Option(metavar="TEXT", help="If-Match of the request that sends a file.")]
ContentType = Annotated[str, typer.Option(metavar="TYPE", help="Content-Type of that request.")]

# How it calls, and who looks

Over = Annotated[
    str,
    typer.Option(metavar="URL|WORD", help="What it calls: mqtts://HOST:8883, or https, mqtts, coaps, http, mqtt."),
]
ServerName = Annotated[
    str | None, typer.Option(metavar="HOST", help="The host it asks for (SNI).  [default: that of --over]")
]
Against = Annotated[
    str | None, typer.Option(metavar="URL|SERVER.yaml", help="A registry to look at.  [default: files alone]")
]
Device = Annotated[
    str, typer.Option("--device-id", metavar="ID", help="Look at this device alone, not at all of the tenant.")
]
User = Annotated[str | None, typer.Option(metavar="NAME", help="An account of the registry.  [default: none]")]
Password = Annotated[str | None, typer.Option(metavar="env:NAME", help="Its password.")]
FirstContact = Annotated[bool, typer.Option("--first-contact", help="Ask even if that provisions the device.")]
Within = Annotated[float, typer.Option(metavar="S", min=0.1, max=120.0, help="How long to wait for an answer.")]
ServerCa = Annotated[
    Path | None, typer.Option(metavar="F", help="Whom the device trusts: the authority of the server (PEM).")
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Accept any certificate of the server.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
