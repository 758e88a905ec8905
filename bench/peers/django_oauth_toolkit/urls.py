"""The provider's own URLs, and a page behind its decorator ("Function-based views")."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from oauth2_provider import urls
from oauth2_provider.decorators import protected_resource


@protected_resource(scopes=["aemp:read"])
def page(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"account": request.resource_owner.get_username()})


def alive(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("alive", alive),
    path("o/", include((urls.base_urlpatterns, urls.app_name))),
    path("page", page),
]
